-- Alerts, links and events come by the thousand: what can be checked and derived for all rows of a statement at once is.

-- The events that a statement adds to an incident follow each other, and the first of them the last that was there. That no
-- sequence comes twice, the timeline's unique constraint sees to.
CREATE FUNCTION check_added_timeline_events() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    gap BIGINT;
BEGIN
    SELECT n.first INTO gap FROM (
        SELECT incident_id, MIN(sequence) AS first, MAX(sequence) AS last, COUNT(*) AS events FROM added GROUP BY incident_id
    ) AS n
    WHERE n.last - n.first + 1 <> n.events OR n.first <> 1
        AND (SELECT e.sequence FROM timeline_events AS e WHERE e.incident_id = n.incident_id AND e.sequence = n.first - 1) IS NULL
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'sequence % or one behind it leaves a gap in the timeline', gap
            USING ERRCODE = 'check_violation', CONSTRAINT = 'timeline_events_no_gap';
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER timeline_events_checked ON timeline_events;
CREATE TRIGGER timeline_events_no_gap AFTER INSERT ON timeline_events REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION check_added_timeline_events();
--bun:split
CREATE OR REPLACE FUNCTION check_timeline_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        RAISE EXCEPTION 'a timeline event cannot be changed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'timeline_events_kept';
    END IF;
    -- A deleted incident takes its timeline along.
    IF EXISTS (SELECT 1 FROM incidents WHERE id = OLD.incident_id) THEN
        RAISE EXCEPTION 'a timeline event cannot be deleted'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'timeline_events_kept';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER timeline_events_kept BEFORE UPDATE OR DELETE ON timeline_events
    FOR EACH ROW EXECUTE FUNCTION check_timeline_event();

-- It is the same as idx_timeline_events_people.
DROP INDEX idx_timeline_events_acts;
--bun:split
CREATE FUNCTION check_added_incident_alerts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM added AS l WHERE (SELECT i.status FROM incidents AS i WHERE i.id = l.incident_id) = 'resolved') THEN
        RAISE EXCEPTION 'a resolved incident takes no alert'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incident_alerts_not_when_resolved';
    END IF;
    IF EXISTS (SELECT 1 FROM added WHERE NOT active) THEN
        RAISE EXCEPTION 'active must say whether the incident is unresolved'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incident_alerts_active_agrees';
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION check_incident_alert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.active <> (SELECT status <> 'resolved' FROM incidents WHERE id = NEW.incident_id) THEN
        RAISE EXCEPTION 'active must say whether the incident is unresolved'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incident_alerts_active_agrees';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER incident_alerts_checked ON incident_alerts;
CREATE TRIGGER incident_alerts_checked AFTER INSERT ON incident_alerts REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION check_added_incident_alerts();
CREATE TRIGGER incident_alerts_change_checked BEFORE UPDATE ON incident_alerts
    FOR EACH ROW EXECUTE FUNCTION check_incident_alert();
--bun:split
-- What few alerts have is looked up for one after the other, whatever the planner takes the tables for.
CREATE OR REPLACE FUNCTION end_hold_of_linked() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    muted UUID[] = ARRAY(SELECT m.id FROM (SELECT (SELECT alert_id FROM muted_alerts WHERE alert_id = l.alert_id) AS id FROM added AS l) AS m WHERE m.id IS NOT NULL);
BEGIN
    IF muted <> '{}' THEN
        DELETE FROM muted_alerts WHERE alert_id = ANY (muted);
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER incident_alerts_end_hold ON incident_alerts;
CREATE TRIGGER incident_alerts_end_hold AFTER INSERT ON incident_alerts REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION end_hold_of_linked();
--bun:split
CREATE OR REPLACE FUNCTION note_link() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_act(l.alert_id, i.acted_at)
    FROM (
        SELECT DISTINCT incident_id, (
            SELECT e.timestamp FROM timeline_events AS e
            WHERE e.incident_id = a.incident_id AND e.created_by <> 'monitoring-system' ORDER BY e.timestamp LIMIT 1
        ) AS acted_at FROM (SELECT DISTINCT incident_id FROM added) AS a
    ) AS i JOIN added AS l ON l.incident_id = i.incident_id WHERE i.acted_at IS NOT NULL;
    RETURN NULL;
END $$;
DROP TRIGGER incident_alerts_note_act ON incident_alerts;
CREATE TRIGGER incident_alerts_note_act AFTER INSERT ON incident_alerts REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION note_link();
--bun:split
CREATE OR REPLACE FUNCTION end_alert_acknowledgement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    current UUID[] = ARRAY(
        SELECT k.id FROM (SELECT (SELECT id FROM acknowledgements WHERE alert_id = a.id AND ended_at IS NULL) AS id FROM changed AS a) AS k WHERE k.id IS NOT NULL
    );
BEGIN
    IF current <> '{}' THEN
        UPDATE acknowledgements AS k SET ended_at = GREATEST(a.updated_at, k.acknowledged_at),
            end_reason = CASE WHEN a.status = 'resolved' THEN 'resolved' WHEN a.flap_count > k.flap_count THEN 'fired_again' ELSE 'worsened' END
        FROM changed AS a
        WHERE k.id = ANY (current) AND k.alert_id = a.id AND (a.status = 'resolved' OR a.flap_count > k.flap_count
            OR strpos('critical high medium low info', a.severity) < strpos('critical high medium low info', k.severity));
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER alerts_end_acknowledgement ON alerts;
CREATE TRIGGER alerts_end_acknowledgement AFTER UPDATE ON alerts REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION end_alert_acknowledgement();
--bun:split
CREATE OR REPLACE FUNCTION end_hold() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    over UUID[] = ARRAY(
        SELECT m.id FROM (SELECT (SELECT alert_id FROM muted_alerts WHERE alert_id = a.id AND held) AS id FROM changed AS a WHERE a.status = 'resolved') AS m
        WHERE m.id IS NOT NULL
    );
BEGIN
    IF over <> '{}' THEN
        UPDATE muted_alerts SET held = FALSE WHERE alert_id = ANY (over);
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER alerts_end_hold ON alerts;
CREATE TRIGGER alerts_end_hold AFTER UPDATE ON alerts REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION end_hold();
--bun:split
-- From here on no alert that has a label began behind seen_on, in UTC: the search for a label that is gone begins at that day.
CREATE OR REPLACE FUNCTION note_alert_labels() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    day DATE = GREATEST(CURRENT_DATE, (SELECT (MAX(starts_at) AT TIME ZONE 'UTC')::DATE FROM inserted));
    unseen BIGINT[] = ARRAY(
        SELECT k.key FROM (SELECT DISTINCT unnest(label_keys) AS key FROM inserted) AS k
        WHERE COALESCE(
            (SELECT l.seen_on FROM alert_labels AS l WHERE l.key = k.key),
            (SELECT n.seen_on FROM alert_label_names AS n WHERE n.key = k.key), '-infinity') < day
    );
BEGIN
    IF unseen = '{}' THEN
        RETURN NULL;
    END IF;
    INSERT INTO alert_labels (key, name, value, seen_on)
    SELECT DISTINCT ON (p.key) p.key, p.name, p.value, day
    FROM (
        SELECT alert_label_key(l.key, l.value) AS key, l.key AS name, l.value
        FROM inserted AS a, jsonb_each_text(a.labels) AS l WHERE l.value <> ''
    ) AS p WHERE p.key IN (SELECT unnest(unseen))
    ON CONFLICT (key) DO UPDATE SET seen_on = GREATEST(alert_labels.seen_on, EXCLUDED.seen_on);

    INSERT INTO alert_label_names (key, names, seen_on)
    SELECT DISTINCT ON (p.key) p.key, p.names, day
    FROM (
        SELECT a.label_keys[cardinality(a.label_keys)] AS key,
            ARRAY(SELECT l.key FROM jsonb_each_text(a.labels) AS l WHERE l.value <> '') AS names
        FROM inserted AS a
    ) AS p WHERE p.key IN (SELECT unnest(unseen))
    ON CONFLICT (key) DO UPDATE SET seen_on = GREATEST(alert_label_names.seen_on, EXCLUDED.seen_on);
    RETURN NULL;
END $$;
-- Nobody stores alerts meanwhile: the triggers above have locked them.
UPDATE alert_labels AS l SET seen_on = n.day
FROM (
    SELECT k.key, (MAX(a.starts_at) AT TIME ZONE 'UTC')::DATE AS day FROM alerts AS a, unnest(a.label_keys) AS k(key) GROUP BY k.key
) AS n WHERE n.key = l.key;
--bun:split
-- Thousands of alerts may begin in one moment, and lists have them by their ids then.
DROP INDEX idx_alerts_starts_at;
CREATE INDEX idx_alerts_starts_at ON alerts(starts_at, id);
