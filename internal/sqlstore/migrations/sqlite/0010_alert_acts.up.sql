-- The first thing that a person did about an alert, which reports ask for: to find it among comments, acknowledgements and
-- timelines took a report longer than all else. Told by what keeps these; what an alert that was taken from an incident
-- owes to that stays.
CREATE TABLE alert_acts (
    alert_id TEXT PRIMARY KEY REFERENCES alerts(id) ON DELETE CASCADE,
    acted_at TIMESTAMP NOT NULL
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
CREATE TRIGGER acknowledgements_note_act AFTER INSERT ON acknowledgements
WHEN NEW.alert_id IS NOT NULL BEGIN
    INSERT INTO alert_acts (alert_id, acted_at) VALUES (NEW.alert_id, NEW.acknowledged_at)
    ON CONFLICT (alert_id) DO UPDATE SET acted_at = EXCLUDED.acted_at WHERE EXCLUDED.acted_at < acted_at;
END;
--bun:split
CREATE TRIGGER acknowledgements_moved_note_act AFTER UPDATE OF alert_id ON acknowledgements
WHEN NEW.alert_id IS NOT NULL BEGIN
    INSERT INTO alert_acts (alert_id, acted_at) VALUES (NEW.alert_id, NEW.acknowledged_at)
    ON CONFLICT (alert_id) DO UPDATE SET acted_at = EXCLUDED.acted_at WHERE EXCLUDED.acted_at < acted_at;
END;
--bun:split
CREATE TRIGGER alert_comments_note_act AFTER INSERT ON alert_comments BEGIN
    INSERT INTO alert_acts (alert_id, acted_at) VALUES (NEW.alert_id, NEW.created_at)
    ON CONFLICT (alert_id) DO UPDATE SET acted_at = EXCLUDED.acted_at WHERE EXCLUDED.acted_at < acted_at;
END;
--bun:split
CREATE TRIGGER alert_comments_moved_note_act AFTER UPDATE OF alert_id ON alert_comments BEGIN
    INSERT INTO alert_acts (alert_id, acted_at) VALUES (NEW.alert_id, NEW.created_at)
    ON CONFLICT (alert_id) DO UPDATE SET acted_at = EXCLUDED.acted_at WHERE EXCLUDED.acted_at < acted_at;
END;
--bun:split
CREATE TRIGGER alerts_note_act AFTER UPDATE ON alerts
WHEN NEW.manual_at IS NOT NULL AND NEW.manual_at IS NOT OLD.manual_at BEGIN
    INSERT INTO alert_acts (alert_id, acted_at) VALUES (NEW.id, NEW.manual_at)
    ON CONFLICT (alert_id) DO UPDATE SET acted_at = EXCLUDED.acted_at WHERE EXCLUDED.acted_at < acted_at;
END;
--bun:split
CREATE TRIGGER timeline_events_note_act AFTER INSERT ON timeline_events
WHEN NEW.created_by <> 'monitoring-system' BEGIN
    INSERT INTO alert_acts (alert_id, acted_at)
    SELECT l.alert_id, NEW.timestamp FROM incident_alerts AS l WHERE l.incident_id = NEW.incident_id
    ON CONFLICT (alert_id) DO UPDATE SET acted_at = EXCLUDED.acted_at WHERE EXCLUDED.acted_at < acted_at;
END;
--bun:split
CREATE TRIGGER incident_alerts_note_act AFTER INSERT ON incident_alerts BEGIN
    INSERT INTO alert_acts (alert_id, acted_at)
    SELECT NEW.alert_id, e.timestamp FROM timeline_events AS e
    WHERE e.incident_id = NEW.incident_id AND e.created_by <> 'monitoring-system'
    ORDER BY e.timestamp LIMIT 1
    ON CONFLICT (alert_id) DO UPDATE SET acted_at = EXCLUDED.acted_at WHERE EXCLUDED.acted_at < acted_at;
END;
