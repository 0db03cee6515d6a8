-- Sums up picked alerts, as a whole (total) and by name and rule_id: the groups that come first in a list, with their
-- places in it. report.go gives the arguments.
WITH picked AS (?0),
-- An hour that the period cuts counts as a whole.
flapped AS (
    SELECT f.alert_id, SUM(f.flaps) AS flaps FROM alert_flaps AS f WHERE f.hour > ?1 AND f.hour < ?2 GROUP BY f.alert_id
),
judged AS (
    SELECT p.*, COALESCE(f.flaps, 0) AS flaps,
           CASE WHEN m.alert_id IS NULL THEN 0 ELSE 1 END AS muted,
           CASE WHEN m.alert_id IS NOT NULL AND ?3 THEN 1 ELSE 0 END AS silenced,
           t.acted_at
    FROM picked AS p
    LEFT JOIN flapped AS f ON f.alert_id = p.id
    LEFT JOIN muted_alerts AS m ON m.alert_id = p.id
    LEFT JOIN alert_acts AS t ON t.alert_id = p.id
),
timed AS MATERIALIZED (
    SELECT j.name, j.rule_id, j.severity, j.firing, j.began, j.flaps, j.muted, j.resolve_seconds,
           CASE WHEN j.acted_at IS NULL THEN j.silenced ELSE 1 END AS acted,
           CASE WHEN j.acted_at < j.starts_at THEN 0.0 ELSE ?4 END AS acknowledge_seconds
    FROM judged AS j
),
grouped AS MATERIALIZED (
    SELECT t.name, t.rule_id, MIN(t.severity) AS severity, COUNT(*) AS alerts, SUM(t.firing) AS firing,
           SUM(t.began + t.flaps) AS firings, SUM(t.flaps) AS flaps, SUM(CASE WHEN t.flaps > 0 THEN 1 ELSE 0 END) AS flapping_alerts,
           SUM(t.muted) AS muted, SUM(t.acted) AS acted_upon, SUM(CASE WHEN t.acted + t.muted = 0 THEN 1 ELSE 0 END) AS unattended,
           SUM(CASE WHEN t.acted + t.muted + t.firing = 0 THEN 1 ELSE 0 END) AS self_resolved,
           COUNT(t.acknowledge_seconds) AS acknowledged, SUM(t.acknowledge_seconds) AS acknowledge_sum,
           COUNT(t.resolve_seconds) AS resolved, SUM(t.resolve_seconds) AS resolve_sum
    FROM timed AS t GROUP BY t.name, t.rule_id
),
ordered AS (
    SELECT g.*, ROW_NUMBER() OVER (ORDER BY g.firings DESC, g.alerts DESC, g.name, g.rule_id) AS noisy_place,
           CASE WHEN g.flaps > 0 THEN ROW_NUMBER() OVER (ORDER BY g.flaps DESC, g.firings DESC, g.name, g.rule_id) ELSE 0 END AS flap_place,
           CASE WHEN g.acted_upon = 0 AND g.unattended > 0 THEN
               ROW_NUMBER() OVER (PARTITION BY g.acted_upon = 0 AND g.unattended > 0 ORDER BY g.firings DESC, g.unattended DESC, g.name, g.rule_id)
           ELSE 0 END AS ignored_place
    FROM grouped AS g
),
listed AS MATERIALIZED (
    SELECT o.* FROM ordered AS o WHERE o.noisy_place <= ?5 OR o.flap_place BETWEEN 1 AND ?5 OR o.ignored_place BETWEEN 1 AND ?5
),
summed AS (
    SELECT l.noisy_place AS number, l.* FROM listed AS l
    UNION ALL
    SELECT 0, '', '', MIN(g.severity), SUM(g.alerts), SUM(g.firing), SUM(g.firings), SUM(g.flaps), SUM(g.flapping_alerts), SUM(g.muted),
           SUM(g.acted_upon), SUM(g.unattended), SUM(g.self_resolved), SUM(g.acknowledged), SUM(g.acknowledge_sum),
           SUM(g.resolved), SUM(g.resolve_sum), 0, 0, 0
    FROM grouped AS g HAVING COUNT(*) > 0
),
percentiles AS (
    SELECT l.noisy_place AS number, ?6 AS acknowledge_median, ?7 AS acknowledge_p90, ?8 AS resolve_median, ?9 AS resolve_p90
    FROM timed AS t JOIN listed AS l ON l.name = t.name AND l.rule_id = t.rule_id GROUP BY l.noisy_place
    UNION ALL
    SELECT 0, ?6, ?7, ?8, ?9 FROM timed AS t
)
SELECT s.*, q.acknowledge_median, q.acknowledge_p90, q.resolve_median, q.resolve_p90
FROM summed AS s JOIN percentiles AS q ON q.number = s.number
