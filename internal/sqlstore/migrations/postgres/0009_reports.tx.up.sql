-- What reports on alerts ask for.

-- How often an alert fired again, by the hour in which it did: the row of an alert that flaps for weeks keeps the sum
-- and the last of its periods only.
CREATE TABLE alert_flaps (
    alert_id UUID NOT NULL REFERENCES alerts(id) ON DELETE CASCADE,
    hour TIMESTAMP WITH TIME ZONE NOT NULL,
    flaps INTEGER NOT NULL CHECK (flaps > 0),
    PRIMARY KEY (alert_id, hour)
);
CREATE INDEX idx_alert_flaps_hour ON alert_flaps(hour);
-- Nothing is known of the hours of those that were before.
INSERT INTO alert_flaps (alert_id, hour, flaps)
SELECT id, date_trunc('hour', last_starts_at), flap_count FROM alerts WHERE flap_count > 0;
--bun:split
CREATE FUNCTION count_alert_flaps() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    known INTEGER := 0;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        known := OLD.flap_count;
    END IF;
    INSERT INTO alert_flaps (alert_id, hour, flaps) VALUES (NEW.id, date_trunc('hour', NEW.last_starts_at), NEW.flap_count - known)
    ON CONFLICT (alert_id, hour) DO UPDATE SET flaps = alert_flaps.flaps + EXCLUDED.flaps;
    RETURN NULL;
END $$;
CREATE TRIGGER alerts_inserted_with_flaps AFTER INSERT ON alerts
    FOR EACH ROW WHEN (NEW.flap_count > 0) EXECUTE FUNCTION count_alert_flaps();
CREATE TRIGGER alerts_flapped AFTER UPDATE ON alerts
    FOR EACH ROW WHEN (NEW.flap_count > OLD.flap_count) EXECUTE FUNCTION count_alert_flaps();
--bun:split
-- The first thing that a person did to an incident.
CREATE INDEX idx_timeline_events_people ON timeline_events(incident_id, timestamp) WHERE created_by <> 'monitoring-system';
