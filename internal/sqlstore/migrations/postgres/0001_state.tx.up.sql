-- The write side. Tables, columns and indexes are the specification's; what it lacks stands behind a comment.
CREATE TABLE alerts (
    id UUID PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    description TEXT,
    severity VARCHAR(20) NOT NULL CHECK (severity IN ('critical', 'high', 'medium', 'low', 'info')),
    status VARCHAR(20) NOT NULL CHECK (status IN ('firing', 'resolved')),
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE,
    labels JSONB NOT NULL,
    annotations JSONB,
    generator_url TEXT,
    value DOUBLE PRECISION,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    -- Identity of the labels, and the stored rule that raised the alert.
    fingerprint CHAR(16) NOT NULL,
    rule_id TEXT NOT NULL DEFAULT '',
    -- What was reported: when last, with which status, the start of the newest period, and every period as JSON.
    reported_at TIMESTAMP WITH TIME ZONE NOT NULL,
    reported_status VARCHAR(20) NOT NULL CHECK (reported_status IN ('firing', 'resolved')),
    last_starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    periods TEXT NOT NULL,
    flap_count INTEGER NOT NULL DEFAULT 0 CHECK (flap_count >= 0),
    -- Who resolved it by hand, and when.
    resolved_by VARCHAR(255) NOT NULL DEFAULT '',
    manual_at TIMESTAMP WITH TIME ZONE,
    version BIGINT NOT NULL DEFAULT 1,
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
CREATE INDEX idx_alerts_labels ON alerts USING GIN(labels);
CREATE UNIQUE INDEX alerts_one_firing ON alerts(fingerprint) WHERE status = 'firing';
CREATE INDEX idx_alerts_last_starts_at ON alerts(fingerprint, last_starts_at);
CREATE INDEX idx_alerts_status_page ON alerts(status, starts_at DESC, id DESC);
CREATE INDEX idx_alerts_severity_page ON alerts(severity, starts_at DESC, id DESC);
CREATE INDEX idx_alerts_rule ON alerts(rule_id, status, starts_at DESC) WHERE rule_id <> '';
CREATE INDEX idx_alerts_ends_at ON alerts(ends_at);
CREATE INDEX idx_alerts_stale ON alerts(reported_at) WHERE status = 'firing';
CREATE INDEX idx_active_alerts_view_service_name ON alerts(service_name, severity) WHERE status = 'firing';
CREATE INDEX idx_active_alerts_view_severity ON alerts(severity, starts_at DESC, id DESC) WHERE status = 'firing';
--bun:split
CREATE TABLE alert_rules (
    id UUID PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    description TEXT,
    query TEXT NOT NULL,
    duration VARCHAR(20) NOT NULL,
    labels JSONB NOT NULL,
    annotations JSONB,
    severity VARCHAR(20) NOT NULL CHECK (severity IN ('critical', 'high', 'medium', 'low', 'info')),
    enabled BOOLEAN NOT NULL DEFAULT TRUE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_by UUID NOT NULL,
    -- created_by is derived from the name.
    created_by_name VARCHAR(255) NOT NULL,
    evaluation_interval VARCHAR(20) NOT NULL,
    version BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX idx_alert_rules_name ON alert_rules(name);
CREATE INDEX idx_alert_rules_enabled ON alert_rules(enabled);
CREATE INDEX idx_alert_rules_severity ON alert_rules(severity);

-- Counts every change of a rule, so that a replica sees by one small read whether it must load them again.
CREATE TABLE alert_rules_revision (
    one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one),
    revision BIGINT NOT NULL
);
INSERT INTO alert_rules_revision (revision) VALUES (0);
--bun:split
CREATE FUNCTION count_alert_rules_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE alert_rules_revision SET revision = revision + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER alert_rules_changed AFTER INSERT OR UPDATE OR DELETE ON alert_rules
    FOR EACH STATEMENT EXECUTE FUNCTION count_alert_rules_change();
--bun:split
CREATE TABLE incidents (
    id UUID PRIMARY KEY,
    title VARCHAR(255) NOT NULL,
    description TEXT,
    severity VARCHAR(20) NOT NULL CHECK (severity IN ('critical', 'high', 'medium', 'low')),
    status VARCHAR(20) NOT NULL CHECK (status IN ('open', 'investigating', 'mitigated', 'resolved')),
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    resolved_at TIMESTAMP WITH TIME ZONE,
    created_by VARCHAR(255) NOT NULL,
    assigned_to VARCHAR(255),
    affected_services TEXT[],
    related_alerts UUID[],
    -- What its alerts share; empty where a person made it.
    correlation_key TEXT NOT NULL DEFAULT '',
    mitigated_at TIMESTAMP WITH TIME ZONE,
    version BIGINT NOT NULL DEFAULT 1,
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
CREATE FUNCTION check_incident_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.status, NEW.status) NOT IN (
        ('open', 'investigating'), ('open', 'mitigated'), ('open', 'resolved'),
        ('investigating', 'mitigated'), ('investigating', 'resolved'),
        ('mitigated', 'open'), ('mitigated', 'investigating'), ('mitigated', 'resolved'),
        ('resolved', 'open')
    ) THEN
        RAISE EXCEPTION 'an incident cannot go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incidents_legal_transition';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incidents_legal_transition BEFORE UPDATE OF status ON incidents
    FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION check_incident_transition();
--bun:split
-- Which alerts an incident is about. active says that the incident is not resolved.
CREATE TABLE incident_alerts (
    incident_id UUID NOT NULL REFERENCES incidents(id) ON DELETE CASCADE,
    alert_id UUID NOT NULL REFERENCES alerts(id) ON DELETE CASCADE,
    linked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    active BOOLEAN NOT NULL DEFAULT TRUE,
    PRIMARY KEY (incident_id, alert_id)
);
CREATE UNIQUE INDEX incident_alerts_one_open_incident ON incident_alerts(alert_id) WHERE active;
CREATE INDEX idx_incident_alerts_alert ON incident_alerts(alert_id);
--bun:split
CREATE FUNCTION check_incident_alert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    unresolved BOOLEAN;
BEGIN
    SELECT status <> 'resolved' INTO unresolved FROM incidents WHERE id = NEW.incident_id;
    IF TG_OP = 'INSERT' AND NOT unresolved THEN
        RAISE EXCEPTION 'a resolved incident takes no alert'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incident_alerts_not_when_resolved';
    END IF;
    IF NEW.active IS DISTINCT FROM unresolved AND unresolved IS NOT NULL THEN
        RAISE EXCEPTION 'active must say whether the incident is unresolved'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'incident_alerts_active_agrees';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incident_alerts_checked BEFORE INSERT OR UPDATE ON incident_alerts
    FOR EACH ROW EXECUTE FUNCTION check_incident_alert();
--bun:split
CREATE FUNCTION carry_incident_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE incident_alerts SET active = (NEW.status <> 'resolved') WHERE incident_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_carry_status AFTER UPDATE OF status ON incidents
    FOR EACH ROW WHEN ((OLD.status = 'resolved') <> (NEW.status = 'resolved')) EXECUTE FUNCTION carry_incident_status();
--bun:split
CREATE TABLE timeline_events (
    id UUID PRIMARY KEY,
    incident_id UUID NOT NULL REFERENCES incidents(id) ON DELETE CASCADE,
    timestamp TIMESTAMP WITH TIME ZONE NOT NULL,
    type VARCHAR(50) NOT NULL CHECK (type IN ('status_change', 'comment', 'action', 'alert', 'system')),
    content TEXT NOT NULL,
    created_by VARCHAR(255) NOT NULL,
    metadata JSONB,
    -- From 1 for every incident, without a gap.
    sequence BIGINT NOT NULL,
    CONSTRAINT timeline_events_one_a_sequence UNIQUE (incident_id, sequence)
);
CREATE INDEX idx_timeline_events_incident_id ON timeline_events(incident_id);
CREATE INDEX idx_timeline_events_timestamp ON timeline_events(timestamp);
CREATE INDEX idx_timeline_events_type ON timeline_events(type);
--bun:split
CREATE FUNCTION check_timeline_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        -- A deleted incident takes its timeline along.
        IF EXISTS (SELECT 1 FROM incidents WHERE id = OLD.incident_id) THEN
            RAISE EXCEPTION 'a timeline event cannot be deleted'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'timeline_events_kept';
        END IF;
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        RAISE EXCEPTION 'a timeline event cannot be changed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'timeline_events_kept';
    END IF;
    IF NEW.sequence <> (SELECT COALESCE(MAX(sequence), 0) + 1 FROM timeline_events WHERE incident_id = NEW.incident_id) THEN
        RAISE EXCEPTION 'sequence % leaves a gap in the timeline', NEW.sequence
            USING ERRCODE = 'check_violation', CONSTRAINT = 'timeline_events_no_gap';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER timeline_events_checked BEFORE INSERT OR UPDATE OR DELETE ON timeline_events
    FOR EACH ROW EXECUTE FUNCTION check_timeline_event();
--bun:split
CREATE TABLE service_health (
    id UUID PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    status VARCHAR(20) NOT NULL CHECK (status IN ('healthy', 'degraded', 'unhealthy')),
    last_check TIMESTAMP WITH TIME ZONE NOT NULL,
    uptime_seconds BIGINT NOT NULL,
    response_time_ms INTEGER,
    metrics JSONB,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL
);
CREATE UNIQUE INDEX service_health_one_a_name ON service_health(name);
CREATE INDEX idx_service_health_name ON service_health(name);
CREATE INDEX idx_service_health_status ON service_health(status);
CREATE INDEX idx_service_health_last_check ON service_health(last_check);
CREATE INDEX idx_service_status_view_name ON service_health(name, status);
CREATE INDEX idx_service_status_view_status ON service_health(status, name);
--bun:split
-- The read side: always right, with durations as of now. Counts are taken for the rows of a page only.
CREATE VIEW active_alerts_view AS
SELECT a.id, a.name, a.severity, a.status, a.service_name, NULLIF(a.instance_name, '') AS instance_name, a.value, a.starts_at,
       GREATEST(0, FLOOR(EXTRACT(EPOCH FROM now() - a.starts_at)))::INTEGER AS duration_seconds,
       EXISTS (SELECT 1 FROM incident_alerts l WHERE l.alert_id = a.id AND l.active) AS has_incident
FROM alerts a WHERE a.status = 'firing';

CREATE VIEW service_status_view AS
SELECT s.id, s.name, s.status, s.last_check, s.uptime_seconds, s.response_time_ms,
       (s.metrics ->> 'cpu_usage_percent')::DOUBLE PRECISION AS cpu_usage_percent,
       (s.metrics ->> 'memory_usage_percent')::DOUBLE PRECISION AS memory_usage_percent,
       (s.metrics ->> 'request_rate')::DOUBLE PRECISION AS request_rate,
       (s.metrics ->> 'error_rate')::DOUBLE PRECISION AS error_rate,
       ROUND((s.metrics ->> 'p95_latency_ms')::NUMERIC)::INTEGER AS p95_latency_ms,
       (SELECT COUNT(*) FROM alerts a WHERE a.status = 'firing' AND a.service_name = s.name)::INTEGER AS active_alert_count,
       (SELECT COUNT(*) FROM alerts a WHERE a.status = 'firing' AND a.service_name = s.name AND a.severity = 'critical')::INTEGER
           AS critical_alert_count
FROM service_health s;

CREATE VIEW incidents_view AS
SELECT i.id, i.title, i.severity, i.status, i.created_at,
       GREATEST(0, FLOOR(EXTRACT(EPOCH FROM COALESCE(i.resolved_at, now()) - i.created_at) / 60))::INTEGER AS duration_minutes,
       i.created_by AS created_by_name, i.assigned_to AS assigned_to_name,
       COALESCE(CARDINALITY(i.affected_services), 0) AS affected_service_count,
       (SELECT COUNT(*) FROM incident_alerts l WHERE l.incident_id = i.id)::INTEGER AS related_alert_count,
       COALESCE((SELECT MAX(e.sequence) FROM timeline_events e WHERE e.incident_id = i.id), 0)::INTEGER AS timeline_event_count,
       i.updated_at AS last_update_at
FROM incidents i;

CREATE VIEW alert_rules_view AS
SELECT r.id, r.name, r.severity, r.enabled, r.created_by_name,
       (SELECT COUNT(*) FROM alerts a WHERE a.rule_id <> '' AND a.rule_id = r.id::TEXT AND a.status = 'firing')::INTEGER AS firing_alert_count,
       (SELECT MAX(s.at) FROM (
           SELECT (SELECT MAX(a.starts_at) FROM alerts a WHERE a.rule_id <> '' AND a.rule_id = r.id::TEXT AND a.status = 'firing') AS at
           UNION ALL
           SELECT (SELECT MAX(a.starts_at) FROM alerts a WHERE a.rule_id <> '' AND a.rule_id = r.id::TEXT AND a.status = 'resolved')
       ) s) AS last_triggered_at,
       r.evaluation_interval
FROM alert_rules r;
