-- The first thing that a person did about an alert, which reports ask for: to find it among comments, acknowledgements and
-- timelines took a report longer than all else. Told by what keeps these; what an alert that was taken from an incident
-- owes to that stays.
CREATE TABLE alert_acts (
    alert_id UUID PRIMARY KEY REFERENCES alerts(id) ON DELETE CASCADE,
    acted_at TIMESTAMP WITH TIME ZONE NOT NULL
);
INSERT INTO alert_acts (alert_id, acted_at)
SELECT alert_id, MIN(acted_at) FROM (
    SELECT alert_id, acknowledged_at AS acted_at FROM acknowledgements WHERE alert_id IS NOT NULL
    UNION ALL SELECT alert_id, created_at FROM alert_comments
    UNION ALL SELECT id, manual_at FROM alerts WHERE manual_at IS NOT NULL
    UNION ALL SELECT l.alert_id, e.timestamp FROM timeline_events AS e JOIN incident_alerts AS l ON l.incident_id = e.incident_id
        WHERE e.created_by <> 'monitoring-system'
) AS acts GROUP BY alert_id;
--bun:split
CREATE FUNCTION note_act(alert UUID, act TIMESTAMP WITH TIME ZONE) RETURNS VOID LANGUAGE sql AS $$
    INSERT INTO alert_acts (alert_id, acted_at) VALUES (alert, act)
    ON CONFLICT (alert_id) DO UPDATE SET acted_at = EXCLUDED.acted_at WHERE EXCLUDED.acted_at < alert_acts.acted_at
$$;
--bun:split
CREATE FUNCTION note_acknowledgement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_act(NEW.alert_id, NEW.acknowledged_at);
    RETURN NULL;
END $$;
CREATE TRIGGER acknowledgements_note_act AFTER INSERT OR UPDATE OF alert_id ON acknowledgements
    FOR EACH ROW WHEN (NEW.alert_id IS NOT NULL) EXECUTE FUNCTION note_acknowledgement();
--bun:split
CREATE FUNCTION note_comment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_act(NEW.alert_id, NEW.created_at);
    RETURN NULL;
END $$;
CREATE TRIGGER alert_comments_note_act AFTER INSERT OR UPDATE OF alert_id ON alert_comments
    FOR EACH ROW EXECUTE FUNCTION note_comment();
--bun:split
CREATE FUNCTION note_resolution() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_act(NEW.id, NEW.manual_at);
    RETURN NULL;
END $$;
CREATE TRIGGER alerts_note_act AFTER UPDATE ON alerts
    FOR EACH ROW WHEN (NEW.manual_at IS NOT NULL AND NEW.manual_at IS DISTINCT FROM OLD.manual_at) EXECUTE FUNCTION note_resolution();
--bun:split
CREATE FUNCTION note_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_act(l.alert_id, NEW.timestamp) FROM incident_alerts AS l WHERE l.incident_id = NEW.incident_id;
    RETURN NULL;
END $$;
CREATE TRIGGER timeline_events_note_act AFTER INSERT ON timeline_events
    FOR EACH ROW WHEN (NEW.created_by <> 'monitoring-system') EXECUTE FUNCTION note_event();
--bun:split
CREATE FUNCTION note_link() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_act(NEW.alert_id, e.timestamp) FROM timeline_events AS e
    WHERE e.incident_id = NEW.incident_id AND e.created_by <> 'monitoring-system' ORDER BY e.timestamp LIMIT 1;
    RETURN NULL;
END $$;
CREATE TRIGGER incident_alerts_note_act AFTER INSERT ON incident_alerts
    FOR EACH ROW EXECUTE FUNCTION note_link();
