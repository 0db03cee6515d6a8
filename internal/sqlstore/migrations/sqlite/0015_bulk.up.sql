-- It is the same as idx_timeline_events_people.
DROP INDEX idx_timeline_events_acts;
--bun:split
-- Thousands of alerts may begin in one moment, and lists have them by their ids then.
DROP INDEX idx_alerts_starts_at;
--bun:split
CREATE INDEX idx_alerts_starts_at ON alerts(starts_at, id);
