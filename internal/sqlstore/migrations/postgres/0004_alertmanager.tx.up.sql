-- Silences and the notification log, in Alertmanager's own form. The later form of an entry holds.
CREATE TABLE alertmanager_entries (
    -- Of kind and key together: a key holds the labels of a group, and may be longer than an index takes.
    digest CHAR(64) PRIMARY KEY,
    kind VARCHAR(20) NOT NULL CHECK (kind IN ('silence', 'notification')),
    key TEXT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    data BYTEA NOT NULL,
    -- Of the last change, so that a replica sees by one small read what is new.
    revision BIGINT NOT NULL
);
CREATE INDEX idx_alertmanager_entries_revision ON alertmanager_entries(revision);
CREATE INDEX idx_alertmanager_entries_expires_at ON alertmanager_entries(expires_at);

-- Counts the changes of entries. It does not go back when the newest entry is deleted.
CREATE TABLE alertmanager_revision (
    one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one),
    revision BIGINT NOT NULL
);
INSERT INTO alertmanager_revision (revision) VALUES (0);
