package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/sqlstore/postgrestest"
	"github.com/quantivista/monitoring/internal/state"
)

// benchStore starts a PostgreSQL that keeps what it says, with its default memory but for shared buffers.
func benchStore(b *testing.B) *Store {
	server, err := postgrestest.New("fsync=on", "shared_buffers=1GB", "max_wal_size=4GB")
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, server.Stop()) })
	url, err := server.CreateDatabase(b.Context(), "bench")
	require.NoError(b, err)
	cfg := postgresConfig(url)
	cfg.StatementTimeout = 0
	s := closeAtEnd(b)(OpenPostgres(cfg))
	require.NoError(b, s.Migrate(b.Context()))
	return s
}

// fill stores 1,000,000 alerts, one in a hundred firing, and 100,000 incidents, one in twenty unresolved, with 2
// alerts and 5 events each.
func fill(b *testing.B, s *Store) {
	for _, statement := range []string{
		`SET session_replication_role = replica`,
		`INSERT INTO alerts (id, name, description, severity, status, starts_at, ends_at, labels, annotations, value, created_at, updated_at,
			fingerprint, reported_at, reported_status, last_starts_at, periods, service_name, instance_name)
		SELECT gen_random_uuid(), 'Alert' || i % 200, 'Something is wrong', (ARRAY['critical','high','medium','low','info'])[1 + i % 5],
			CASE WHEN i % 100 = 0 THEN 'firing' ELSE 'resolved' END, t, CASE WHEN i % 100 = 0 THEN NULL ELSE t + interval '5 minutes' END,
			jsonb_build_object('alertname', 'Alert' || i % 200, 'service', 'service-' || i % 500, 'namespace', 'ns-' || i % 20, 'cluster', 'c' || i % 3, 'instance', 'host-' || i % 5000),
			'{"summary": "Something is wrong", "runbook_url": "https://example.com/runbook"}', i, t, t,
			lpad(to_hex(i), 16, '0'), t, CASE WHEN i % 100 = 0 THEN 'firing' ELSE 'resolved' END, t, '[0,1,2,3]', 'service-' || i % 500, 'host-' || i % 5000
		FROM generate_series(1, 1000000) i, LATERAL (SELECT now() - i * interval '10 seconds' AS t) u`,
		`INSERT INTO incidents (id, title, severity, status, created_at, updated_at, resolved_at, created_by, assigned_to, affected_services, correlation_key)
		SELECT gen_random_uuid(), 'Incident ' || i, (ARRAY['critical','high','medium','low'])[1 + i % 4], CASE WHEN i % 20 = 0 THEN 'open' ELSE 'resolved' END,
			t, t, CASE WHEN i % 20 = 0 THEN NULL ELSE t + interval '1 hour' END, 'monitoring-system', 'team-' || i % 50, ARRAY['service-' || i % 500], 'key-' || i
		FROM generate_series(1, 100000) i, LATERAL (SELECT now() - i * interval '100 seconds' AS t) u`,
		`INSERT INTO incident_alerts SELECT i.id, a.id, now(), i.status <> 'resolved' FROM (SELECT id, status, row_number() OVER () AS n FROM incidents) i
			JOIN (SELECT id, row_number() OVER () AS n FROM alerts LIMIT 200000) a ON a.n / 2 = i.n`,
		`INSERT INTO timeline_events SELECT gen_random_uuid(), i.id, now(), 'comment', 'Something happened', 'me', '{"a": 1}', n FROM incidents i, generate_series(1, 5) n`,
		`SET session_replication_role = DEFAULT`,
		`VACUUM ANALYZE`,
	} {
		_, err := s.db.ExecContext(b.Context(), statement)
		require.NoError(b, err)
	}
}

// BenchmarkLists gives the times of pages of 100 in milliseconds.
func BenchmarkLists(b *testing.B) {
	s := benchStore(b)
	s.db.SetMaxOpenConns(1) // the session setting of fill
	fill(b, s)
	s.db.SetMaxOpenConns(4)
	fortnight := time.Now().Add(-14 * 24 * time.Hour)
	deep := func(list string, age time.Duration) state.Page {
		return state.Page{After: state.Cursor{List: list, Key: time.Now().Add(-age).UTC().Format(instantLayout), ID: newID()}.String()}
	}
	equal := func(name, value string) []alert.Matcher { return []alert.Matcher{{Name: name, Op: "=", Value: value}} }
	month := 30 * 24 * time.Hour
	for name, q := range map[string]alert.Query{
		"all": {}, "deep": {Page: deep("alerts", 2*month)}, "firing": {Status: alert.Firing}, "firing deep": {Status: alert.Firing, Page: deep("alerts", 3*month)},
		"critical": {Severity: alert.Critical}, "resolved low deep": {Status: alert.Resolved, Severity: alert.Low, Page: deep("alerts", 2*month)},
		"firing info (none)": {Status: alert.Firing, Severity: alert.Info}, "range": {From: fortnight, To: fortnight.Add(time.Hour)},
		"range, long ago": {From: time.Now().Add(-3 * month), To: time.Now().Add(-3*month + time.Hour)},
		"service":         {Matchers: equal("service", "service-7")}, "service deep": {Matchers: equal("service", "service-7"), Page: deep("alerts", 2*month)},
		"cluster": {Matchers: equal("cluster", "c1")}, "instance": {Matchers: equal("instance", "host-77")}, "no match": {Matchers: equal("instance", "none")},
		"firing cluster deep": {Status: alert.Firing, Matchers: equal("cluster", "c1"), Page: deep("alerts", 2*month)},
		"regexp":              {Matchers: []alert.Matcher{{Name: "service", Op: "=~", Value: "service-(1|2|3).*"}}},
		"firing regexp":       {Status: alert.Firing, Matchers: []alert.Matcher{{Name: "service", Op: "=~", Value: "service-10.|x"}}},
		"regexp, a choice":    {Matchers: []alert.Matcher{{Name: "service", Op: "=~", Value: "service-(7|8)|service-99"}}},
		"regexp, nothing":     {Matchers: []alert.Matcher{{Name: "service", Op: "=~", Value: "none.*"}}},
		"since":               {From: time.Now().Add(-10 * time.Minute)}, "resolved since": {Status: alert.Resolved, From: time.Now().Add(-10 * time.Minute)},
		"critical since": {Severity: alert.Critical, From: time.Now().Add(-10 * time.Minute)},
		"not equal":      {Matchers: []alert.Matcher{{Name: "cluster", Op: "!=", Value: "c1"}}},
	} {
		measure(b, "alerts/"+name, func(ctx context.Context) error { _, err := s.Alerts(ctx, q); return err })
	}
	for name, q := range map[string]incident.Query{
		"all": {}, "deep": {Page: deep("incidents", 2*month)}, "resolved deep": {Statuses: []incident.Status{incident.Resolved}, Page: deep("incidents", 2*month)},
		"active":      {Statuses: []incident.Status{incident.Open, incident.Investigating, incident.Mitigated}},
		"active deep": {Statuses: []incident.Status{incident.Open, incident.Investigating, incident.Mitigated}, Page: deep("incidents", 3*month)},
		"low":         {Severity: alert.Low}, "assigned": {AssignedTo: "team-7"}, "mitigated (none)": {Statuses: []incident.Status{incident.Mitigated}},
	} {
		measure(b, "incidents/"+name, func(ctx context.Context) error { _, err := s.Incidents(ctx, q); return err })
	}
	list, err := s.Incidents(b.Context(), incident.Query{})
	require.NoError(b, err)
	measure(b, "timeline", func(ctx context.Context) error {
		_, err := s.Timeline(ctx, list.Incidents[0].ID, state.Page{})
		return err
	})
	measure(b, "count firing", func(ctx context.Context) error { _, err := s.CountFiring(ctx); return err })
	measure(b, "count unresolved", func(ctx context.Context) error { _, err := s.CountUnresolved(ctx); return err })
	b.Run("intake with 1,000,000 alerts stored", func(b *testing.B) { benchIntake(b, s) })
}

// measure asks again and again, and gives the 99th percentile.
func measure(b *testing.B, name string, ask func(context.Context) error) {
	b.Run(name, func(b *testing.B) {
		var times []time.Duration
		for b.Loop() {
			start := time.Now()
			require.NoError(b, ask(b.Context()))
			times = append(times, time.Since(start))
		}
		slices.Sort(times)
		b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
		b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
	})
}

func BenchmarkIntake(b *testing.B) { benchIntake(b, benchStore(b)) }

// benchIntake fires and resolves 1,000 alerts in turn, in batches of 1,000.
func benchIntake(b *testing.B, s *Store) {
	const size = 1000
	start, transitions := time.Now().UTC(), 0
	for b.Loop() {
		transitions += size
		n := transitions / size
		batch := make([]alert.Alert, size)
		for i := range batch {
			begun := start.Add(time.Duration(n/2) * 2 * window)
			batch[i] = firing(begun, begun, "service", fmt.Sprintf("service-%d", i%500), "instance", fmt.Sprint(i), "bench", fmt.Sprint(n/2))
			if n%2 == 1 {
				batch[i].Status, batch[i].EndsAt, batch[i].UpdatedAt = alert.Resolved, begun.Add(time.Minute), begun.Add(time.Minute)
			}
		}
		require.NoError(b, tryIntake(b.Context(), s, batch...))
	}
	b.ReportMetric(float64(transitions)/b.Elapsed().Seconds(), "transitions/s")
}
