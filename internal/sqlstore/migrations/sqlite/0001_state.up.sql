-- The write side, as on PostgreSQL. Times are text in UTC with microseconds (see instant.go), JSON and arrays are
-- JSON text, and labels have no index: SQLite has none that could serve a search within JSON.
CREATE TABLE alerts (
    id TEXT PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    description TEXT,
    severity VARCHAR(20) NOT NULL CHECK (severity IN ('critical', 'high', 'medium', 'low', 'info')),
    status VARCHAR(20) NOT NULL CHECK (status IN ('firing', 'resolved')),
    starts_at TIMESTAMP NOT NULL,
    ends_at TIMESTAMP,
    labels TEXT NOT NULL,
    annotations TEXT,
    generator_url TEXT,
    value REAL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    -- Identity of the labels, and the stored rule that raised the alert.
    fingerprint CHAR(16) NOT NULL,
    rule_id TEXT NOT NULL DEFAULT '',
    -- What was reported: when last, with which status, the start of the newest period, and every period as JSON.
    reported_at TIMESTAMP NOT NULL,
    reported_status VARCHAR(20) NOT NULL CHECK (reported_status IN ('firing', 'resolved')),
    last_starts_at TIMESTAMP NOT NULL,
    periods TEXT NOT NULL,
    flap_count INTEGER NOT NULL DEFAULT 0 CHECK (flap_count >= 0),
    -- Who resolved it by hand, and when.
    resolved_by VARCHAR(255) NOT NULL DEFAULT '',
    manual_at TIMESTAMP,
    version INTEGER NOT NULL DEFAULT 1,
    service_name VARCHAR(255) NOT NULL DEFAULT '',
    instance_name VARCHAR(255) NOT NULL DEFAULT '',
    CONSTRAINT alerts_ends_when_resolved CHECK ((status = 'resolved') = (ends_at IS NOT NULL)),
    CONSTRAINT alerts_ends_after_start CHECK (ends_at IS NULL OR ends_at >= starts_at),
    CONSTRAINT alerts_one_row_a_start UNIQUE (fingerprint, starts_at)
);
CREATE INDEX idx_alerts_name ON alerts(name);
CREATE INDEX idx_alerts_status ON alerts(status);
CREATE INDEX idx_alerts_severity ON alerts(severity);
CREATE INDEX idx_alerts_starts_at ON alerts(starts_at);
CREATE UNIQUE INDEX alerts_one_firing ON alerts(fingerprint) WHERE status = 'firing';
CREATE INDEX idx_alerts_last_starts_at ON alerts(fingerprint, last_starts_at);
CREATE INDEX idx_alerts_page ON alerts(starts_at DESC, id DESC);
CREATE INDEX idx_alerts_status_page ON alerts(status, starts_at DESC, id DESC);
CREATE INDEX idx_alerts_severity_page ON alerts(severity, starts_at DESC, id DESC);
CREATE INDEX idx_alerts_rule ON alerts(rule_id, status, starts_at DESC) WHERE rule_id <> '';
CREATE INDEX idx_alerts_ends_at ON alerts(ends_at);
CREATE INDEX idx_alerts_stale ON alerts(reported_at) WHERE status = 'firing';
CREATE INDEX idx_active_alerts_view_service_name ON alerts(service_name, severity) WHERE status = 'firing';
CREATE INDEX idx_active_alerts_view_severity ON alerts(severity, starts_at DESC, id DESC) WHERE status = 'firing';
--bun:split
CREATE TABLE alert_rules (
    id TEXT PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    description TEXT,
    query TEXT NOT NULL,
    duration VARCHAR(20) NOT NULL,
    labels TEXT NOT NULL,
    annotations TEXT,
    severity VARCHAR(20) NOT NULL CHECK (severity IN ('critical', 'high', 'medium', 'low', 'info')),
    enabled BOOLEAN NOT NULL DEFAULT TRUE,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    created_by TEXT NOT NULL,
    -- created_by is derived from the name.
    created_by_name VARCHAR(255) NOT NULL,
    evaluation_interval VARCHAR(20) NOT NULL,
    version INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX idx_alert_rules_name ON alert_rules(name);
CREATE INDEX idx_alert_rules_enabled ON alert_rules(enabled);
CREATE INDEX idx_alert_rules_severity ON alert_rules(severity);

-- Counts every change of a rule, so that a replica sees by one small read whether it must load them again.
CREATE TABLE alert_rules_revision (
    one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one),
    revision INTEGER NOT NULL
);
INSERT INTO alert_rules_revision (revision) VALUES (0);
--bun:split
CREATE TABLE incidents (
    id TEXT PRIMARY KEY,
    title VARCHAR(255) NOT NULL,
    description TEXT,
    severity VARCHAR(20) NOT NULL CHECK (severity IN ('critical', 'high', 'medium', 'low')),
    status VARCHAR(20) NOT NULL CHECK (status IN ('open', 'investigating', 'mitigated', 'resolved')),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    resolved_at TIMESTAMP,
    created_by VARCHAR(255) NOT NULL,
    assigned_to VARCHAR(255),
    affected_services TEXT,
    related_alerts TEXT,
    -- What its alerts share; empty where a person made it.
    correlation_key TEXT NOT NULL DEFAULT '',
    mitigated_at TIMESTAMP,
    version INTEGER NOT NULL DEFAULT 1,
    CONSTRAINT incidents_resolved_at_when_resolved CHECK ((status = 'resolved') = (resolved_at IS NOT NULL)),
    CONSTRAINT incidents_mitigated_at_when_mitigated CHECK (status <> 'mitigated' OR mitigated_at IS NOT NULL)
);
CREATE INDEX idx_incidents_status ON incidents(status);
CREATE INDEX idx_incidents_severity ON incidents(severity);
CREATE INDEX idx_incidents_created_at ON incidents(created_at);
CREATE INDEX idx_incidents_assigned_to ON incidents(assigned_to);
CREATE UNIQUE INDEX incidents_one_open_a_key ON incidents(correlation_key) WHERE status <> 'resolved' AND correlation_key <> '';
CREATE INDEX idx_incidents_key ON incidents(correlation_key, resolved_at) WHERE status = 'resolved' AND correlation_key <> '';
CREATE INDEX idx_incidents_mitigated ON incidents(mitigated_at) WHERE status = 'mitigated';
CREATE INDEX idx_incidents_active_page ON incidents(created_at DESC, id DESC) WHERE status <> 'resolved';
CREATE INDEX idx_incidents_assigned_page ON incidents(assigned_to, created_at DESC, id DESC);
-- The read side is computed from these tables, and its indexes stand on them.
CREATE INDEX idx_incidents_view_status ON incidents(status, created_at DESC, id DESC);
CREATE INDEX idx_incidents_view_severity ON incidents(severity, created_at DESC, id DESC);
CREATE INDEX idx_incidents_view_created_at ON incidents(created_at DESC, id DESC);
CREATE INDEX idx_alert_rules_view_name ON alert_rules(name, id);
CREATE INDEX idx_alert_rules_view_enabled ON alert_rules(enabled, name);
CREATE INDEX idx_alert_rules_view_severity ON alert_rules(severity, name);
--bun:split
-- Which alerts an incident is about. active says that the incident is not resolved.
CREATE TABLE incident_alerts (
    incident_id TEXT NOT NULL REFERENCES incidents(id) ON DELETE CASCADE,
    alert_id TEXT NOT NULL REFERENCES alerts(id) ON DELETE CASCADE,
    linked_at TIMESTAMP NOT NULL,
    active BOOLEAN NOT NULL DEFAULT TRUE,
    PRIMARY KEY (incident_id, alert_id)
);
CREATE UNIQUE INDEX incident_alerts_one_open_incident ON incident_alerts(alert_id) WHERE active;
CREATE INDEX idx_incident_alerts_alert ON incident_alerts(alert_id);
--bun:split
CREATE TABLE timeline_events (
    id TEXT PRIMARY KEY,
    incident_id TEXT NOT NULL REFERENCES incidents(id) ON DELETE CASCADE,
    timestamp TIMESTAMP NOT NULL,
    type VARCHAR(50) NOT NULL CHECK (type IN ('status_change', 'comment', 'action', 'alert', 'system')),
    content TEXT NOT NULL,
    created_by VARCHAR(255) NOT NULL,
    metadata TEXT,
    -- From 1 for every incident, without a gap.
    sequence INTEGER NOT NULL,
    CONSTRAINT timeline_events_one_a_sequence UNIQUE (incident_id, sequence)
);
CREATE INDEX idx_timeline_events_incident_id ON timeline_events(incident_id);
CREATE INDEX idx_timeline_events_timestamp ON timeline_events(timestamp);
CREATE INDEX idx_timeline_events_type ON timeline_events(type);
--bun:split
CREATE TABLE service_health (
    id TEXT PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    status VARCHAR(20) NOT NULL CHECK (status IN ('healthy', 'degraded', 'unhealthy')),
    last_check TIMESTAMP NOT NULL,
    uptime_seconds INTEGER NOT NULL,
    response_time_ms INTEGER,
    metrics TEXT,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX service_health_one_a_name ON service_health(name);
CREATE INDEX idx_service_health_name ON service_health(name);
CREATE INDEX idx_service_health_status ON service_health(status);
CREATE INDEX idx_service_health_last_check ON service_health(last_check);
CREATE INDEX idx_service_status_view_name ON service_health(name, status);
CREATE INDEX idx_service_status_view_status ON service_health(status, name);
--bun:split
CREATE TRIGGER alert_rules_inserted AFTER INSERT ON alert_rules BEGIN
    UPDATE alert_rules_revision SET revision = revision + 1;
END;
--bun:split
CREATE TRIGGER alert_rules_updated AFTER UPDATE ON alert_rules BEGIN
    UPDATE alert_rules_revision SET revision = revision + 1;
END;
--bun:split
CREATE TRIGGER alert_rules_deleted AFTER DELETE ON alert_rules BEGIN
    UPDATE alert_rules_revision SET revision = revision + 1;
END;
--bun:split
CREATE TRIGGER incidents_legal_transition BEFORE UPDATE OF status ON incidents
WHEN OLD.status <> NEW.status AND OLD.status || ' ' || NEW.status NOT IN (
    'open investigating', 'open mitigated', 'open resolved',
    'investigating mitigated', 'investigating resolved',
    'mitigated open', 'mitigated investigating', 'mitigated resolved',
    'resolved open'
) BEGIN
    SELECT RAISE(ABORT, 'incidents_legal_transition: an incident cannot make this transition');
END;
--bun:split
CREATE TRIGGER incidents_carry_status AFTER UPDATE OF status ON incidents
WHEN (OLD.status = 'resolved') <> (NEW.status = 'resolved') BEGIN
    UPDATE incident_alerts SET active = (NEW.status <> 'resolved') WHERE incident_id = NEW.id;
END;
--bun:split
CREATE TRIGGER incident_alerts_not_when_resolved BEFORE INSERT ON incident_alerts
WHEN (SELECT status FROM incidents WHERE id = NEW.incident_id) = 'resolved' BEGIN
    SELECT RAISE(ABORT, 'incident_alerts_not_when_resolved: a resolved incident takes no alert');
END;
--bun:split
CREATE TRIGGER incident_alerts_active_inserted BEFORE INSERT ON incident_alerts WHEN NOT NEW.active BEGIN
    SELECT RAISE(ABORT, 'incident_alerts_active_agrees: active must say whether the incident is unresolved');
END;
--bun:split
CREATE TRIGGER incident_alerts_active_updated BEFORE UPDATE ON incident_alerts
WHEN NEW.active <> (SELECT status <> 'resolved' FROM incidents WHERE id = NEW.incident_id) BEGIN
    SELECT RAISE(ABORT, 'incident_alerts_active_agrees: active must say whether the incident is unresolved');
END;
--bun:split
CREATE TRIGGER timeline_events_no_gap BEFORE INSERT ON timeline_events
WHEN NEW.sequence <> (SELECT COALESCE(MAX(sequence), 0) + 1 FROM timeline_events WHERE incident_id = NEW.incident_id) BEGIN
    SELECT RAISE(ABORT, 'timeline_events_no_gap: the sequence leaves a gap in the timeline');
END;
--bun:split
CREATE TRIGGER timeline_events_not_changed BEFORE UPDATE ON timeline_events BEGIN
    SELECT RAISE(ABORT, 'timeline_events_kept: a timeline event cannot be changed');
END;
--bun:split
-- A deleted incident takes its timeline along.
CREATE TRIGGER timeline_events_not_deleted BEFORE DELETE ON timeline_events
WHEN EXISTS (SELECT 1 FROM incidents WHERE id = OLD.incident_id) BEGIN
    SELECT RAISE(ABORT, 'timeline_events_kept: a timeline event cannot be deleted');
END;
--bun:split
-- The read side: always right, with durations as of now. Counts are taken for the rows of a page only.
CREATE VIEW active_alerts_view AS
SELECT a.id, a.name, a.severity, a.status, a.service_name, NULLIF(a.instance_name, '') AS instance_name, a.value, a.starts_at,
       MAX(0, unixepoch() - unixepoch(a.starts_at)) AS duration_seconds,
       EXISTS (SELECT 1 FROM incident_alerts l WHERE l.alert_id = a.id AND l.active) AS has_incident
FROM alerts a WHERE a.status = 'firing';
--bun:split
CREATE VIEW service_status_view AS
SELECT s.id, s.name, s.status, s.last_check, s.uptime_seconds, s.response_time_ms,
       s.metrics ->> 'cpu_usage_percent' AS cpu_usage_percent,
       s.metrics ->> 'memory_usage_percent' AS memory_usage_percent,
       s.metrics ->> 'request_rate' AS request_rate,
       s.metrics ->> 'error_rate' AS error_rate,
       CAST(ROUND(s.metrics ->> 'p95_latency_ms') AS INTEGER) AS p95_latency_ms,
       (SELECT COUNT(*) FROM alerts a WHERE a.status = 'firing' AND a.service_name = s.name) AS active_alert_count,
       (SELECT COUNT(*) FROM alerts a WHERE a.status = 'firing' AND a.service_name = s.name AND a.severity = 'critical')
           AS critical_alert_count
FROM service_health s;
--bun:split
CREATE VIEW incidents_view AS
SELECT i.id, i.title, i.severity, i.status, i.created_at,
       MAX(0, (COALESCE(unixepoch(i.resolved_at), unixepoch()) - unixepoch(i.created_at)) / 60) AS duration_minutes,
       i.created_by AS created_by_name, i.assigned_to AS assigned_to_name,
       COALESCE(json_array_length(i.affected_services), 0) AS affected_service_count,
       (SELECT COUNT(*) FROM incident_alerts l WHERE l.incident_id = i.id) AS related_alert_count,
       COALESCE((SELECT MAX(e.sequence) FROM timeline_events e WHERE e.incident_id = i.id), 0) AS timeline_event_count,
       i.updated_at AS last_update_at
FROM incidents i;
--bun:split
CREATE VIEW alert_rules_view AS
SELECT r.id, r.name, r.severity, r.enabled, r.created_by_name,
       (SELECT COUNT(*) FROM alerts a WHERE a.rule_id <> '' AND a.rule_id = r.id AND a.status = 'firing') AS firing_alert_count,
       (SELECT MAX(s.at) FROM (
           SELECT (SELECT MAX(a.starts_at) FROM alerts a WHERE a.rule_id <> '' AND a.rule_id = r.id AND a.status = 'firing') AS at
           UNION ALL
           SELECT (SELECT MAX(a.starts_at) FROM alerts a WHERE a.rule_id <> '' AND a.rule_id = r.id AND a.status = 'resolved')
       ) s) AS last_triggered_at,
       r.evaluation_interval
FROM alert_rules r;
