-- Maintenance windows, and what was done to them.
CREATE TABLE maintenance_windows (
    id TEXT PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    description TEXT NOT NULL,
    matchers TEXT NOT NULL,
    starts_at TIMESTAMP NOT NULL,
    ends_at TIMESTAMP NOT NULL,
    time_zone VARCHAR(255) NOT NULL,
    recurrence TEXT NOT NULL,
    not_before TIMESTAMP,
    cancelled_at TIMESTAMP,
    -- When the last occurrence ends; NULL where they go on for ever.
    over_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    created_by VARCHAR(255) NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    updated_by VARCHAR(255) NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    CONSTRAINT maintenance_windows_ends_after_start CHECK (ends_at > starts_at)
);
CREATE INDEX idx_maintenance_windows_page ON maintenance_windows(created_at DESC, id DESC);
CREATE INDEX idx_maintenance_windows_over_at ON maintenance_windows(over_at);

-- The window as each version has it, as JSON.
CREATE TABLE maintenance_window_revisions (
    window_id TEXT NOT NULL REFERENCES maintenance_windows(id),
    version INTEGER NOT NULL,
    action VARCHAR(20) NOT NULL CHECK (action IN ('created', 'changed', 'occurrence_ended', 'cancelled')),
    definition TEXT NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    updated_by VARCHAR(255) NOT NULL,
    PRIMARY KEY (window_id, version)
);

-- Counts every change of a window, so that a replica sees by one small read whether it must load them again.
CREATE TABLE maintenance_revision (
    one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one),
    revision INTEGER NOT NULL
);
INSERT INTO maintenance_revision (revision) VALUES (0);
--bun:split
CREATE TRIGGER maintenance_windows_inserted AFTER INSERT ON maintenance_windows BEGIN
    UPDATE maintenance_revision SET revision = revision + 1;
END;
--bun:split
CREATE TRIGGER maintenance_windows_updated AFTER UPDATE ON maintenance_windows BEGIN
    UPDATE maintenance_revision SET revision = revision + 1;
END;
--bun:split
CREATE TRIGGER maintenance_windows_not_deleted BEFORE DELETE ON maintenance_windows BEGIN
    SELECT RAISE(ABORT, 'maintenance_windows_kept: a maintenance window cannot be deleted');
END;
--bun:split
CREATE TRIGGER maintenance_window_revisions_not_changed BEFORE UPDATE ON maintenance_window_revisions BEGIN
    SELECT RAISE(ABORT, 'maintenance_window_revisions_kept: the history of a maintenance window cannot be changed');
END;
--bun:split
CREATE TRIGGER maintenance_window_revisions_not_deleted BEFORE DELETE ON maintenance_window_revisions BEGIN
    SELECT RAISE(ABORT, 'maintenance_window_revisions_kept: the history of a maintenance window cannot be changed');
END;
--bun:split
-- Who has taken note of an alert or an incident. One that has no ended_at is current, until it expires.
CREATE TABLE acknowledgements (
    id TEXT PRIMARY KEY,
    alert_id TEXT REFERENCES alerts(id) ON DELETE CASCADE,
    incident_id TEXT REFERENCES incidents(id) ON DELETE CASCADE,
    acknowledged_by VARCHAR(255) NOT NULL,
    acknowledged_at TIMESTAMP NOT NULL,
    comment TEXT NOT NULL,
    expires_at TIMESTAMP,
    -- As it was acknowledged.
    severity VARCHAR(20) NOT NULL CHECK (severity IN ('critical', 'high', 'medium', 'low', 'info')),
    flap_count INTEGER NOT NULL DEFAULT 0,
    ended_at TIMESTAMP,
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
CREATE TRIGGER alerts_end_acknowledgement AFTER UPDATE ON alerts
WHEN NEW.status = 'resolved' OR NEW.flap_count > OLD.flap_count OR NEW.severity <> OLD.severity BEGIN
    UPDATE acknowledgements SET ended_at = MAX(NEW.updated_at, acknowledged_at),
        end_reason = CASE WHEN NEW.status = 'resolved' THEN 'resolved' WHEN NEW.flap_count > flap_count THEN 'fired_again' ELSE 'worsened' END
    WHERE alert_id = NEW.id AND ended_at IS NULL AND (NEW.status = 'resolved' OR NEW.flap_count > flap_count
        OR instr('critical high medium low info', NEW.severity) < instr('critical high medium low info', severity));
END;
--bun:split
CREATE TRIGGER incidents_end_acknowledgement AFTER UPDATE ON incidents
WHEN NEW.status = 'resolved' OR NEW.severity <> OLD.severity BEGIN
    UPDATE acknowledgements SET ended_at = MAX(NEW.updated_at, acknowledged_at),
        end_reason = CASE WHEN NEW.status = 'resolved' THEN 'resolved' ELSE 'worsened' END
    WHERE incident_id = NEW.id AND ended_at IS NULL AND (NEW.status = 'resolved'
        OR instr('critical high medium low info', NEW.severity) < instr('critical high medium low info', severity));
END;
--bun:split
-- Alerts that opened and joined no incident because they were muted, and by what. One that is held fires, and joins
-- when nothing mutes it any more; one that is not ended while it was muted.
CREATE TABLE muted_alerts (
    alert_id TEXT PRIMARY KEY REFERENCES alerts(id) ON DELETE CASCADE,
    muted_at TIMESTAMP NOT NULL,
    muted_by TEXT NOT NULL,
    held BOOLEAN NOT NULL
);
CREATE INDEX idx_muted_alerts_held ON muted_alerts(alert_id) WHERE held;
--bun:split
CREATE TRIGGER alerts_end_hold AFTER UPDATE OF status ON alerts WHEN NEW.status = 'resolved' BEGIN
    UPDATE muted_alerts SET held = FALSE WHERE alert_id = NEW.id AND held;
END;
--bun:split
-- An alert in an incident is not held back.
CREATE TRIGGER incident_alerts_end_hold AFTER INSERT ON incident_alerts BEGIN
    DELETE FROM muted_alerts WHERE alert_id = NEW.alert_id;
END;
