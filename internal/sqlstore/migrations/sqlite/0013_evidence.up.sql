-- What explains an incident: metrics, traces and patterns of log lines, as JSON. It goes with the incident.
CREATE TABLE incident_evidence (
    incident_id TEXT NOT NULL REFERENCES incidents(id) ON DELETE CASCADE,
    kind VARCHAR(20) NOT NULL CHECK (kind IN ('metric', 'trace', 'log_pattern')),
    -- Tells those of a kind apart.
    key CHAR(64) NOT NULL,
    -- Its place among those of its kind, from 0.
    place INTEGER NOT NULL,
    collected_at TIMESTAMP NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (incident_id, kind, key)
);

-- How the collection stands, of each incident for which it has begun.
CREATE TABLE evidence_collections (
    incident_id TEXT PRIMARY KEY REFERENCES incidents(id) ON DELETE CASCADE,
    stage VARCHAR(20) NOT NULL CHECK (stage IN ('opening', 'developing', 'watching', 'ended')),
    -- When the next look is due, and when anything is, such as a source that was away; NULL for when the incident ends or
    -- is reopened.
    stage_at TIMESTAMP,
    due_at TIMESTAMP,
    -- Who works on it, and until when at most.
    worker VARCHAR(255) NOT NULL DEFAULT '',
    leased_until TIMESTAMP,
    -- How each source stands.
    sources TEXT NOT NULL,
    started_from TIMESTAMP,
    ended_at TIMESTAMP,
    collected_at TIMESTAMP,
    told BOOLEAN NOT NULL DEFAULT FALSE,
    metrics INTEGER NOT NULL DEFAULT 0,
    traces INTEGER NOT NULL DEFAULT 0,
    log_patterns INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT evidence_collections_stage_at CHECK ((stage IN ('opening', 'developing')) = (stage_at IS NOT NULL)),
    CONSTRAINT evidence_collections_lease CHECK ((worker = '') = (leased_until IS NULL))
);
CREATE INDEX idx_evidence_collections_due_at ON evidence_collections(due_at) WHERE due_at IS NOT NULL;
CREATE INDEX idx_evidence_collections_unended ON evidence_collections(incident_id) WHERE stage <> 'ended';
