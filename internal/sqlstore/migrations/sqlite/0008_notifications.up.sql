-- The send ledger, as on PostgreSQL.
CREATE TABLE notifications (
    id TEXT PRIMARY KEY,
    -- Digests: of receiver, integration and group key; of the alerts that it tells.
    target CHAR(64) NOT NULL,
    content CHAR(64) NOT NULL,
    receiver TEXT NOT NULL,
    integration VARCHAR(50) NOT NULL,
    integration_index INTEGER NOT NULL,
    group_key TEXT NOT NULL,
    state VARCHAR(20) NOT NULL CHECK (state IN ('sending', 'retrying', 'sent', 'failed', 'superseded')),
    attempts INTEGER NOT NULL CHECK (attempts > 0),
    reason TEXT NOT NULL,
    sender VARCHAR(255) NOT NULL,
    -- While an attempt is under way no other process makes one.
    leased_until TIMESTAMP,
    began_at TIMESTAMP NOT NULL,
    attempted_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    CONSTRAINT notifications_lease CHECK ((state = 'sending') = (leased_until IS NOT NULL)),
    CONSTRAINT notifications_end CHECK ((state IN ('sending', 'retrying')) = (ended_at IS NULL))
);
CREATE UNIQUE INDEX notifications_one_open ON notifications(target) WHERE state IN ('sending', 'retrying');
CREATE INDEX idx_notifications_target ON notifications(target, began_at DESC);
CREATE INDEX idx_notifications_attempted_at ON notifications(attempted_at);

CREATE TABLE notification_alerts (
    notification_id TEXT NOT NULL REFERENCES notifications(id) ON DELETE CASCADE,
    fingerprint CHAR(16) NOT NULL,
    status VARCHAR(20) NOT NULL CHECK (status IN ('firing', 'resolved')),
    PRIMARY KEY (fingerprint, notification_id)
);
CREATE INDEX idx_notification_alerts_notification_id ON notification_alerts(notification_id);

-- For those who follow the alerts.
CREATE INDEX idx_alerts_updated_at ON alerts(updated_at);
