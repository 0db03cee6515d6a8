package metricstoreextension

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFailuresOfBackgroundWork(t *testing.T) {
	counters := map[string]float64{}
	value := func(name string) float64 { return counters[name] }
	var watch failureWatch
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	require.NoError(t, watch.look(now, value))

	counters["prometheus_tsdb_compactions_failed_total"]++
	require.ErrorContains(t, watch.look(now, value), "the TSDB's compaction failed at 2026-01-02T03:04:05Z")
	require.Error(t, watch.look(now.Add(calmAfter-time.Second), value))
	require.NoError(t, watch.look(now.Add(calmAfter), value), "it did not fail again")

	counters["prometheus_tsdb_reloads_failures_total"]++
	now = now.Add(time.Hour)
	require.ErrorContains(t, watch.look(now, value), "reload of the blocks")
	counters["prometheus_tsdb_reloads_failures_total"]++
	require.Error(t, watch.look(now.Add(calmAfter-1), value))
	require.Error(t, watch.look(now.Add(calmAfter+1), value), "the calm begins anew")

	counters["prometheus_tsdb_compactions_failed_total"] = 0 // the TSDB was opened again
	require.NoError(t, watch.look(now.Add(3*calmAfter), value))
}

// Every counter that the extension judges the TSDB by is one that the TSDB has.
func TestTheTSDBHasTheCounters(t *testing.T) {
	store, _ := startStore(t, testConfig(t))
	for _, name := range counterNames() {
		assert.Contains(t, store.current.Load().registry.counters, name)
		assert.Zero(t, gathered(t, store, name))
	}
}
