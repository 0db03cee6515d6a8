-- What people do to incidents: take alerts out, merge, and comment on alerts.

-- Alerts that a person took from an incident. One joins none by itself until it fires anew: until its newest period
-- begins behind last_starts_at.
CREATE TABLE alert_detachments (
    alert_id UUID PRIMARY KEY REFERENCES alerts(id) ON DELETE CASCADE,
    last_starts_at TIMESTAMP WITH TIME ZONE NOT NULL
);
--bun:split
-- A merged incident stays resolved.
ALTER TABLE incidents ADD COLUMN merged_into UUID
    CONSTRAINT incidents_merged_into_fkey REFERENCES incidents(id) ON DELETE SET NULL
    CONSTRAINT incidents_merged_stays_resolved CHECK (merged_into IS NULL OR status = 'resolved');
CREATE INDEX idx_incidents_merged_into ON incidents(merged_into) WHERE merged_into IS NOT NULL;

-- The keys of merged incidents: their alerts go to the incident that these were merged into.
CREATE TABLE incident_keys (
    correlation_key TEXT PRIMARY KEY CHECK (correlation_key <> ''),
    incident_id UUID NOT NULL REFERENCES incidents(id) ON DELETE CASCADE
);
CREATE INDEX idx_incident_keys_incident ON incident_keys(incident_id);
--bun:split
-- What people say about an alert. incident_id is the incident whose timeline has the comment, once there is one.
CREATE TABLE alert_comments (
    id UUID PRIMARY KEY,
    alert_id UUID NOT NULL REFERENCES alerts(id) ON DELETE CASCADE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_by VARCHAR(255) NOT NULL,
    content TEXT NOT NULL,
    incident_id UUID REFERENCES incidents(id) ON DELETE SET NULL
);
CREATE INDEX idx_alert_comments_alert ON alert_comments(alert_id, id);
CREATE INDEX idx_alert_comments_incident ON alert_comments(incident_id) WHERE incident_id IS NOT NULL;
--bun:split
-- What retention deletes first.
CREATE INDEX idx_incidents_resolved_at ON incidents(resolved_at) WHERE status = 'resolved';
