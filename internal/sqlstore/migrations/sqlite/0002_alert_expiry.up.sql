-- When a firing alert is taken to be over unless it is reported again; NULL for never.
ALTER TABLE alerts ADD COLUMN expires_at TIMESTAMP;
CREATE INDEX idx_alerts_expires_at ON alerts(expires_at) WHERE status = 'firing' AND expires_at IS NOT NULL;
-- Nothing asks any more for alerts by the time of their last report.
DROP INDEX idx_alerts_stale;
