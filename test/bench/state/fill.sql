-- Triggers check and derive, and what is below is right as it is.
SET session_replication_role = replica;

-- An ID that sorts by time, as ours do.
CREATE FUNCTION pg_temp.id_at(t TIMESTAMP WITH TIME ZONE) RETURNS UUID LANGUAGE SQL AS
$$ SELECT (lpad(to_hex((EXTRACT(EPOCH FROM t) * 1000)::BIGINT), 12, '0') || '7' || substr(md5(random()::TEXT), 1, 19))::UUID $$;

-- One alert in ten seconds, and one in a hundred fires. A cluster, c-old, was given up long ago; a team never had many alerts;
-- some few have no namespace.
INSERT INTO alerts (id, name, description, severity, status, starts_at, ends_at, labels, annotations, value, created_at, updated_at,
    fingerprint, reported_at, reported_status, last_starts_at, periods, service_name, instance_name)
SELECT pg_temp.id_at(t), 'Alert' || i % 200, 'Something is wrong', (ARRAY['critical', 'high', 'medium', 'low', 'info'])[1 + i % 5],
    CASE WHEN i % 100 = 0 THEN 'firing' ELSE 'resolved' END, t, CASE WHEN i % 100 = 0 THEN NULL ELSE t + INTERVAL '5 minutes' END,
    jsonb_build_object('alertname', 'Alert' || i % 200, 'service', 'service-' || i % 500, 'instance', 'host-' || i % 5000,
        'cluster', CASE WHEN i > :alerts * 0.95 THEN 'c-old' ELSE 'c' || i % 3 END)
    || CASE WHEN i % 20011 = 0 THEN '{}' ELSE jsonb_build_object('namespace', 'ns-' || i % 20) END
    || CASE WHEN i % 5003 = 0 THEN '{"team": "few"}' ELSE jsonb_build_object('team', 'team-' || i % 50) END,
    '{"summary": "Something is wrong", "runbook_url": "https://example.com/runbook"}', i, t, t,
    lpad(to_hex(i), 16, '0'), t, CASE WHEN i % 100 = 0 THEN 'firing' ELSE 'resolved' END, t, '[0,1,2,3]', 'service-' || i % 500, 'host-' || i % 5000
FROM generate_series(:alerts, 1, -1) AS i, LATERAL (SELECT now() - i * INTERVAL '10 seconds' AS t) AS u;

INSERT INTO alert_labels (key, name, value, seen_on)
SELECT alert_label_key(l.key, l.value), l.key, l.value, (MAX(a.starts_at) AT TIME ZONE 'UTC')::DATE FROM alerts AS a, jsonb_each_text(a.labels) AS l GROUP BY l.key, l.value;

INSERT INTO alert_label_names (key, names, seen_on)
SELECT alert_names_key(n.names), n.names, CURRENT_DATE
FROM (SELECT DISTINCT ARRAY(SELECT l.key FROM jsonb_each_text(a.labels) AS l) AS names FROM alerts AS a) AS n;

-- One alert in sixty flaps, and somebody acknowledged one in sixteen.
INSERT INTO alert_flaps (alert_id, hour, flaps)
SELECT id, date_trunc('hour', starts_at) + n * INTERVAL '1 hour', n FROM alerts, generate_series(1, 10) AS n WHERE value::BIGINT % 60 = 0;

INSERT INTO acknowledgements (id, alert_id, acknowledged_by, acknowledged_at, comment, severity)
SELECT gen_random_uuid(), id, 'me', starts_at + INTERVAL '2 minutes', '', severity FROM alerts WHERE value::BIGINT % 16 = 0;

-- One incident in twenty is not resolved. Each has two alerts and five events; the newest has ten thousand.
INSERT INTO incidents (id, title, severity, status, created_at, updated_at, resolved_at, created_by, assigned_to, affected_services, correlation_key)
SELECT pg_temp.id_at(t), 'Incident ' || i, (ARRAY['critical', 'high', 'medium', 'low'])[1 + i % 4], CASE WHEN i % 20 = 0 THEN 'open' ELSE 'resolved' END,
    t, t, CASE WHEN i % 20 = 0 THEN NULL ELSE t + INTERVAL '1 hour' END, 'monitoring-system', 'team-' || i % 50, ARRAY['service-' || i % 500], 'key-' || i
FROM generate_series(:incidents, 1, -1) AS i, LATERAL (SELECT now() - i * INTERVAL '100 seconds' AS t) AS u;

INSERT INTO incident_alerts
SELECT i.id, a.id, now(), i.status <> 'resolved' FROM (SELECT id, status, row_number() OVER (ORDER BY created_at DESC) AS n FROM incidents) AS i
    JOIN (SELECT id, row_number() OVER (ORDER BY starts_at DESC) AS n FROM alerts LIMIT 2 * :incidents) AS a ON (a.n + 1) / 2 = i.n;

INSERT INTO timeline_events
SELECT gen_random_uuid(), i.id, i.created_at, 'comment', 'Something happened', 'me', '{"a": 1}', n
FROM (SELECT id, created_at, CASE WHEN row_number() OVER (ORDER BY created_at DESC) = 1 THEN 10000 ELSE 5 END AS events FROM incidents) AS i, LATERAL generate_series(1, events) AS n;

-- What the triggers would have told.
INSERT INTO alert_acts (alert_id, acted_at)
SELECT alert_id, MIN(acted_at) FROM (
    SELECT alert_id, acknowledged_at AS acted_at FROM acknowledgements
    UNION ALL SELECT l.alert_id, e.timestamp FROM timeline_events AS e JOIN incident_alerts AS l ON l.incident_id = e.incident_id
) AS acts GROUP BY alert_id;

INSERT INTO alert_rules (id, name, query, duration, labels, annotations, severity, enabled, created_at, updated_at, created_by, created_by_name, evaluation_interval)
SELECT gen_random_uuid(), 'Rule' || lpad(i::TEXT, 4, '0'), 'vector(0) > 1', '5m', '{}', '{}', (ARRAY['critical', 'high', 'medium', 'low', 'info'])[1 + i % 5], i % 10 = 0,
    now(), now(), gen_random_uuid(), 'me', '15s'
FROM generate_series(1, 2000) AS i;

INSERT INTO maintenance_windows (id, name, description, matchers, starts_at, ends_at, time_zone, recurrence, over_at, created_at, created_by, updated_at, updated_by)
SELECT gen_random_uuid(), 'Window ' || i, '', ARRAY['service="service-' || i % 500 || '"'], t, t + INTERVAL '1 hour', 'UTC', '', t + INTERVAL '1 hour', t, 'me', t, 'me'
FROM generate_series(1, 10000) AS i, LATERAL (SELECT now() - i * INTERVAL '1 hour' AS t) AS u;

INSERT INTO service_health (id, name, status, last_check, uptime_seconds, metrics, created_at, updated_at, last_seen_at)
SELECT gen_random_uuid(), 'service-' || i, 'healthy', now(), 3600, '{"request_rate": 7}', now(), now(), now()
FROM generate_series(0, 499) AS i
ON CONFLICT DO NOTHING;

SET session_replication_role = DEFAULT;

VACUUM ANALYZE
