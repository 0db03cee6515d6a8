-- Maintenance windows, and what was done to them.
CREATE TABLE maintenance_windows (
    id UUID PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    description TEXT NOT NULL,
    matchers TEXT[] NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    time_zone VARCHAR(255) NOT NULL,
    recurrence TEXT NOT NULL,
    not_before TIMESTAMP WITH TIME ZONE,
    cancelled_at TIMESTAMP WITH TIME ZONE,
    -- When the last occurrence ends; NULL where they go on for ever.
    over_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_by VARCHAR(255) NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_by VARCHAR(255) NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    CONSTRAINT maintenance_windows_ends_after_start CHECK (ends_at > starts_at)
);
CREATE INDEX idx_maintenance_windows_page ON maintenance_windows(created_at DESC, id DESC);
CREATE INDEX idx_maintenance_windows_over_at ON maintenance_windows(over_at);

-- The window as each version has it, as JSON.
CREATE TABLE maintenance_window_revisions (
    window_id UUID NOT NULL REFERENCES maintenance_windows(id),
    version BIGINT NOT NULL,
    action VARCHAR(20) NOT NULL CHECK (action IN ('created', 'changed', 'occurrence_ended', 'cancelled')),
    definition JSONB NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_by VARCHAR(255) NOT NULL,
    PRIMARY KEY (window_id, version)
);

-- Counts every change of a window, so that a replica sees by one small read whether it must load them again.
CREATE TABLE maintenance_revision (
    one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one),
    revision BIGINT NOT NULL
);
INSERT INTO maintenance_revision (revision) VALUES (0);
--bun:split
CREATE FUNCTION count_maintenance_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE maintenance_revision SET revision = revision + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER maintenance_windows_changed AFTER INSERT OR UPDATE ON maintenance_windows
    FOR EACH ROW EXECUTE FUNCTION count_maintenance_change();
--bun:split
CREATE FUNCTION keep_maintenance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'maintenance windows and their history are kept'
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_kept';
END $$;
CREATE TRIGGER maintenance_windows_kept BEFORE DELETE ON maintenance_windows
    FOR EACH ROW EXECUTE FUNCTION keep_maintenance();
CREATE TRIGGER maintenance_window_revisions_kept BEFORE UPDATE OR DELETE ON maintenance_window_revisions
    FOR EACH ROW EXECUTE FUNCTION keep_maintenance();
--bun:split
-- Who has taken note of an alert or an incident. One that has no ended_at is current, until it expires.
CREATE TABLE acknowledgements (
    id UUID PRIMARY KEY,
    alert_id UUID REFERENCES alerts(id) ON DELETE CASCADE,
    incident_id UUID REFERENCES incidents(id) ON DELETE CASCADE,
    acknowledged_by VARCHAR(255) NOT NULL,
    acknowledged_at TIMESTAMP WITH TIME ZONE NOT NULL,
    comment TEXT NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    -- As it was acknowledged.
    severity VARCHAR(20) NOT NULL CHECK (severity IN ('critical', 'high', 'medium', 'low', 'info')),
    flap_count INTEGER NOT NULL DEFAULT 0,
    ended_at TIMESTAMP WITH TIME ZONE,
    ended_by VARCHAR(255) NOT NULL DEFAULT '',
    end_reason VARCHAR(20) NOT NULL DEFAULT '' CHECK (end_reason IN ('', 'withdrawn', 'replaced', 'resolved', 'fired_again', 'worsened')),
    CONSTRAINT acknowledgements_of_one_thing CHECK ((alert_id IS NULL) <> (incident_id IS NULL)),
    CONSTRAINT acknowledgements_end_has_reason CHECK ((ended_at IS NULL) = (end_reason = '')),
    CONSTRAINT acknowledgements_expire_later CHECK (expires_at IS NULL OR expires_at > acknowledged_at)
);
CREATE UNIQUE INDEX acknowledgements_one_of_an_alert ON acknowledgements(alert_id) WHERE ended_at IS NULL AND alert_id IS NOT NULL;
CREATE UNIQUE INDEX acknowledgements_one_of_an_incident ON acknowledgements(incident_id) WHERE ended_at IS NULL AND incident_id IS NOT NULL;
CREATE INDEX idx_acknowledgements_alert ON acknowledgements(alert_id);
CREATE INDEX idx_acknowledgements_incident ON acknowledgements(incident_id);
--bun:split
-- Whatever ends or worsens an alert or an incident ends its acknowledgement with it.
CREATE FUNCTION end_alert_acknowledgement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE acknowledgements SET ended_at = GREATEST(NEW.updated_at, acknowledged_at),
        end_reason = CASE WHEN NEW.status = 'resolved' THEN 'resolved' WHEN NEW.flap_count > flap_count THEN 'fired_again' ELSE 'worsened' END
    WHERE alert_id = NEW.id AND ended_at IS NULL AND (NEW.status = 'resolved' OR NEW.flap_count > flap_count
        OR strpos('critical high medium low info', NEW.severity) < strpos('critical high medium low info', severity));
    RETURN NULL;
END $$;
CREATE TRIGGER alerts_end_acknowledgement AFTER UPDATE ON alerts
    FOR EACH ROW WHEN (NEW.status = 'resolved' OR NEW.flap_count > OLD.flap_count OR NEW.severity <> OLD.severity)
    EXECUTE FUNCTION end_alert_acknowledgement();
--bun:split
CREATE FUNCTION end_incident_acknowledgement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE acknowledgements SET ended_at = GREATEST(NEW.updated_at, acknowledged_at),
        end_reason = CASE WHEN NEW.status = 'resolved' THEN 'resolved' ELSE 'worsened' END
    WHERE incident_id = NEW.id AND ended_at IS NULL AND (NEW.status = 'resolved'
        OR strpos('critical high medium low info', NEW.severity) < strpos('critical high medium low info', severity));
    RETURN NULL;
END $$;
CREATE TRIGGER incidents_end_acknowledgement AFTER UPDATE ON incidents
    FOR EACH ROW WHEN (NEW.status = 'resolved' OR NEW.severity <> OLD.severity)
    EXECUTE FUNCTION end_incident_acknowledgement();
--bun:split
-- Alerts that opened and joined no incident because they were muted, and by what. One that is held fires, and joins
-- when nothing mutes it any more; one that is not ended while it was muted.
CREATE TABLE muted_alerts (
    alert_id UUID PRIMARY KEY REFERENCES alerts(id) ON DELETE CASCADE,
    muted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    muted_by JSONB NOT NULL,
    held BOOLEAN NOT NULL
);
CREATE INDEX idx_muted_alerts_held ON muted_alerts(alert_id) WHERE held;
--bun:split
CREATE FUNCTION end_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE muted_alerts SET held = FALSE WHERE alert_id = NEW.id AND held;
    RETURN NULL;
END $$;
CREATE TRIGGER alerts_end_hold AFTER UPDATE OF status ON alerts
    FOR EACH ROW WHEN (NEW.status = 'resolved') EXECUTE FUNCTION end_hold();
--bun:split
-- An alert in an incident is not held back.
CREATE FUNCTION end_hold_of_linked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM muted_alerts WHERE alert_id = NEW.alert_id;
    RETURN NULL;
END $$;
CREATE TRIGGER incident_alerts_end_hold AFTER INSERT ON incident_alerts
    FOR EACH ROW EXECUTE FUNCTION end_hold_of_linked();
