-- What alerts are labelled with, so that a search by labels reads what it finds and not every alert. A label without a
-- value is one that is missing.

-- The key of a label. Keys are hashes of 64 bits, as fingerprints are. PostgreSQL keeps this one as it is, for the sake of
-- hash partitions.
CREATE FUNCTION alert_label_key(name TEXT, value TEXT) RETURNS BIGINT LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT hashtextextended(octet_length(name)::TEXT || ':' || name || value, 0) $$;

-- The key of the names of all labels of an alert, in the order in which JSONB keeps them.
CREATE FUNCTION alert_names_key(names TEXT[]) RETURNS BIGINT LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT hashtextextended('names:' || names::TEXT, 0) $$;
--bun:split
-- A key for each label, and one for the names of all of them: an alert lacks a label if its names do. This is called for every
-- alert; to sort, or to call the functions above, would take twice as long.
CREATE FUNCTION alert_label_keys(labels JSONB) RETURNS BIGINT[] LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE AS
$$
    SELECT COALESCE(array_agg(hashtextextended(octet_length(l.key)::TEXT || ':' || l.key || l.value, 0)), '{}')
        || hashtextextended('names:' || COALESCE(array_agg(l.key), '{}')::TEXT, 0)
    FROM jsonb_each_text(labels) AS l WHERE l.value <> ''
$$;
--bun:split
ALTER TABLE alerts ADD COLUMN label_keys BIGINT[] NOT NULL GENERATED ALWAYS AS (alert_label_keys(labels)) STORED;
CREATE INDEX idx_alerts_label_keys ON alerts USING GIN(label_keys);

-- What the keys stand for. seen_on is the day of the newest alert that came with it.
CREATE TABLE alert_labels (
    key BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    seen_on DATE NOT NULL
);
-- Of the beginning, since a name may be longer than an index takes.
CREATE INDEX idx_alert_labels_name ON alert_labels(left(name, 100));
CREATE INDEX idx_alert_labels_seen_on ON alert_labels(seen_on);
CREATE TABLE alert_label_names (
    key BIGINT PRIMARY KEY,
    names TEXT[] NOT NULL,
    seen_on DATE NOT NULL
);
CREATE INDEX idx_alert_label_names_seen_on ON alert_label_names(seen_on);
--bun:split
INSERT INTO alert_labels (key, name, value, seen_on)
SELECT alert_label_key(l.key, l.value), l.key, l.value, CURRENT_DATE
FROM alerts AS a, jsonb_each_text(a.labels) AS l WHERE l.value <> '' GROUP BY l.key, l.value;

INSERT INTO alert_label_names (key, names, seen_on)
SELECT alert_names_key(n.names), n.names, CURRENT_DATE
FROM (
    SELECT DISTINCT ARRAY(SELECT l.key FROM jsonb_each_text(a.labels) AS l WHERE l.value <> '') AS names FROM alerts AS a
) AS n;
--bun:split
-- Most keys were seen today. They are looked up one by one, whatever the planner takes the tables for; the labels of the
-- others are written.
CREATE FUNCTION note_alert_labels() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    unseen BIGINT[] = ARRAY(
        SELECT k.key FROM (SELECT DISTINCT unnest(label_keys) AS key FROM inserted) AS k
        WHERE COALESCE(
            (SELECT l.seen_on FROM alert_labels AS l WHERE l.key = k.key),
            (SELECT n.seen_on FROM alert_label_names AS n WHERE n.key = k.key), '-infinity') < CURRENT_DATE
    );
BEGIN
    IF unseen = '{}' THEN
        RETURN NULL;
    END IF;
    INSERT INTO alert_labels (key, name, value, seen_on)
    SELECT DISTINCT ON (p.key) p.key, p.name, p.value, CURRENT_DATE
    FROM (
        SELECT alert_label_key(l.key, l.value) AS key, l.key AS name, l.value
        FROM inserted AS a, jsonb_each_text(a.labels) AS l WHERE l.value <> ''
    ) AS p WHERE p.key IN (SELECT unnest(unseen))
    ON CONFLICT (key) DO UPDATE SET seen_on = EXCLUDED.seen_on;

    INSERT INTO alert_label_names (key, names, seen_on)
    SELECT DISTINCT ON (p.key) p.key, p.names, CURRENT_DATE
    FROM (
        SELECT a.label_keys[cardinality(a.label_keys)] AS key,
            ARRAY(SELECT l.key FROM jsonb_each_text(a.labels) AS l WHERE l.value <> '') AS names
        FROM inserted AS a
    ) AS p WHERE p.key IN (SELECT unnest(unseen))
    ON CONFLICT (key) DO UPDATE SET seen_on = EXCLUDED.seen_on;
    RETURN NULL;
END $$;
CREATE TRIGGER alerts_note_labels AFTER INSERT ON alerts REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION note_alert_labels();
