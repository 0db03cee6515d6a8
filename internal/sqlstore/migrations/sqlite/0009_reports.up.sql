-- What reports on alerts ask for.

-- How often an alert fired again, by the hour in which it did: the row of an alert that flaps for weeks keeps the sum
-- and the last of its periods only.
CREATE TABLE alert_flaps (
    alert_id TEXT NOT NULL REFERENCES alerts(id) ON DELETE CASCADE,
    hour TIMESTAMP NOT NULL,
    flaps INTEGER NOT NULL CHECK (flaps > 0),
    PRIMARY KEY (alert_id, hour)
);
CREATE INDEX idx_alert_flaps_hour ON alert_flaps(hour);
-- Nothing is known of the hours of those that were before.
INSERT INTO alert_flaps (alert_id, hour, flaps)
SELECT id, strftime('%Y-%m-%dT%H:00:00.000000Z', last_starts_at), flap_count FROM alerts WHERE flap_count > 0;
--bun:split
CREATE TRIGGER alerts_inserted_with_flaps AFTER INSERT ON alerts
WHEN NEW.flap_count > 0 BEGIN
    INSERT INTO alert_flaps (alert_id, hour, flaps)
    VALUES (NEW.id, strftime('%Y-%m-%dT%H:00:00.000000Z', NEW.last_starts_at), NEW.flap_count)
    ON CONFLICT (alert_id, hour) DO UPDATE SET flaps = flaps + EXCLUDED.flaps;
END;
--bun:split
CREATE TRIGGER alerts_flapped AFTER UPDATE ON alerts
WHEN NEW.flap_count > OLD.flap_count BEGIN
    INSERT INTO alert_flaps (alert_id, hour, flaps)
    VALUES (NEW.id, strftime('%Y-%m-%dT%H:00:00.000000Z', NEW.last_starts_at), NEW.flap_count - OLD.flap_count)
    ON CONFLICT (alert_id, hour) DO UPDATE SET flaps = flaps + EXCLUDED.flaps;
END;
--bun:split
-- The first thing that a person did to an incident.
CREATE INDEX idx_timeline_events_people ON timeline_events(incident_id, timestamp) WHERE created_by <> 'monitoring-system';
