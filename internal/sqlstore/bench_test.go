package sqlstore

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/sqlstore/postgrestest"
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

// BenchmarkIntake fires and resolves 1,000 alerts in turn, in batches of 1,000, without what they mean for incidents.
// test/bench/state does the same where there are a million.
func BenchmarkIntake(b *testing.B) {
	const size = 1000
	s := benchStore(b)
	start, batches := time.Now().UTC(), 0
	for b.Loop() {
		outage := batches / 2
		begun := start.Add(time.Duration(outage) * 2 * window)
		batch := make([]alert.Alert, size)
		for i := range batch {
			batch[i] = firing(begun, begun, "service", fmt.Sprintf("service-%d", i%500), "instance", fmt.Sprint(i), "bench", fmt.Sprint(outage))
			if batches%2 == 1 {
				batch[i].Status, batch[i].EndsAt, batch[i].UpdatedAt = alert.Resolved, begun.Add(time.Minute), begun.Add(time.Minute)
			}
		}
		require.NoError(b, tryIntake(b.Context(), s, batch...))
		batches++
	}
	b.ReportMetric(float64(batches*size)/b.Elapsed().Seconds(), "transitions/s")
}
