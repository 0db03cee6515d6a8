package metricstoreextension

import (
	"testing"
	"time"

	"github.com/alecthomas/units"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fillBlocks writes ten hours of samples and compacts all but the newest into blocks.
func fillBlocks(t *testing.T, cfg *Config) *embeddedStore {
	t.Helper()
	store, _ := startStore(t, cfg)
	now := time.Now()
	for age := 10 * time.Hour; age >= 0; age -= 30 * time.Minute {
		require.NoError(t, write(store, batch("load", 0, 200, now.Add(-age))...))
	}
	require.NoError(t, store.current.Load().tsdb.Compact(t.Context()))
	return store
}

func TestRetentionBySize(t *testing.T) {
	all := fillBlocks(t, testConfig(t)).current.Load().tsdb.Blocks()
	require.GreaterOrEqual(t, len(all), 3)

	cfg := testConfig(t)
	cfg.Retention.Size = units.Base2Bytes(all[0].Size() * 2)
	store := fillBlocks(t, cfg)
	kept := store.current.Load().tsdb.Blocks()
	assert.Less(t, len(kept), len(all))
	now := time.Now()
	assert.Empty(t, instant(t, store, "load", now.Add(-10*time.Hour)), "the oldest are gone")
	assert.Len(t, instant(t, store, "load", now), 200)
}

func TestRetentionByTime(t *testing.T) {
	cfg := testConfig(t)
	cfg.Retention.Time = days(1)
	fillBlocks(t, cfg)

	later := *cfg
	later.Directory = copyOf(t, cfg.Directory)
	later.Retention.Time = model.Duration(2 * time.Hour)
	store, _ := startStore(t, &later)
	now := time.Now()
	assert.Empty(t, instant(t, store, "load", now.Add(-10*time.Hour)))
	assert.Len(t, instant(t, store, "load", now), 200)
}

func TestMaxBlockDuration(t *testing.T) {
	for name, tt := range map[string]struct {
		retention, configured model.Duration
		want                  time.Duration
	}{
		"a tenth of the retention": {days(15), 0, 36 * time.Hour},
		"one block at least":       {model.Duration(2 * time.Hour), 0, 2 * time.Hour},
		"a month at most":          {days(1000), 0, 31 * 24 * time.Hour},
		"kept for ever":            {0, 0, 31 * 24 * time.Hour},
		"configured":               {days(15), days(2), 48 * time.Hour},
	} {
		cfg := testConfig(t)
		cfg.Retention.Time, cfg.MaxBlockDuration = tt.retention, tt.configured
		assert.Equal(t, tt.want, time.Duration(tsdbOptions(cfg).MaxBlockDuration)*time.Millisecond, name)
	}
	assert.Equal(t, 2*time.Hour, time.Duration(tsdb.DefaultBlockDuration)*time.Millisecond)
}

func BenchmarkStart(b *testing.B) {
	cfg := testConfig(b)
	store, _ := startStore(b, cfg)
	now := time.Now()
	for i := range 10 {
		for j := range 100 {
			require.NoError(b, write(store, batch("load", j, 1000, now.Add(time.Duration(i-10)*15*time.Second))...))
		}
	}
	require.NoError(b, store.Shutdown(b.Context()))
	for b.Loop() {
		again := newEmbeddedStore(cfg, testSettings())
		require.NoError(b, again.Start(b.Context(), newTestHost()))
		b.StopTimer()
		require.NoError(b, again.Shutdown(b.Context()))
		b.StartTimer()
	}
}
