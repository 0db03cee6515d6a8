-- The alerts of a service, the newest first, and those of it that fire, the worst first.
CREATE INDEX idx_alerts_service_page ON alerts(service_name, starts_at DESC, id DESC);
--bun:split
CREATE INDEX idx_alerts_firing_worst ON alerts(
    service_name, (CASE severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 4 END), starts_at, id
) WHERE status = 'firing';
--bun:split
-- What people did in an incident, which is looked for whenever an alert joins one.
CREATE INDEX idx_timeline_events_acts ON timeline_events(incident_id, timestamp) WHERE created_by <> 'monitoring-system';
