package metricstoreextension

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"

	"github.com/quantivista/monitoring/internal/metricstore"
)

var up = labels.FromStrings("__name__", "up", "job", "self")

func TestSamplesComeBackAfterARestart(t *testing.T) {
	for _, compression := range []string{"none", "snappy", "zstd"} {
		t.Run(compression, func(t *testing.T) {
			cfg := testConfig(t)
			cfg.WALCompression = compression
			now := time.Now()

			first := newEmbeddedStore(cfg, testSettings())
			host := newTestHost()
			require.NoError(t, first.Start(context.Background(), host))
			require.NoError(t, write(first, sample{up, now, 1}))
			assert.Equal(t, componentstatus.StatusOK, host.status())
			require.NoError(t, first.Shutdown(context.Background()))

			second, _ := startStore(t, cfg)
			got := instant(t, second, "up", now)
			require.Len(t, got, 1)
			assert.Equal(t, up, got[0].Metric)
			assert.InDelta(t, 1, got[0].F, 0)
		})
	}
}

func TestRangeQuery(t *testing.T) {
	store, _ := startStore(t, testConfig(t))
	now := time.Now().Truncate(time.Minute)
	for i := range 3 {
		require.NoError(t, write(store, sample{up, now.Add(time.Duration(i-2) * time.Minute), float64(i)}))
	}
	res, err := store.QueryRange(context.Background(), "up", metricstore.Range{Start: now.Add(-2 * time.Minute), End: now, Step: time.Minute})
	require.NoError(t, err)
	m, ok := res.Value.(promql.Matrix)
	require.True(t, ok)
	require.Len(t, m, 1)
	assert.Equal(t, []promql.FPoint{
		{T: now.Add(-2 * time.Minute).UnixMilli(), F: 0},
		{T: now.Add(-time.Minute).UnixMilli(), F: 1},
		{T: now.UnixMilli(), F: 2},
	}, m[0].Floats)
}

func TestASecondStoreInTheDirectoryIsRefused(t *testing.T) {
	cfg := testConfig(t)
	startStore(t, cfg)
	second := newEmbeddedStore(cfg, testSettings())
	err := second.Start(context.Background(), newTestHost())
	require.ErrorContains(t, err, "in use by another process")
	require.ErrorContains(t, err, cfg.Directory)
	require.NoError(t, second.Shutdown(context.Background()))
}

func TestADirectoryThatCannotBeWritten(t *testing.T) {
	cfg := testConfig(t)
	parent := filepath.Dir(cfg.Directory)
	if os.Geteuid() == 0 { // whom no permission stops, but a file in the place of a directory does
		cfg.Directory = filepath.Join(parent, "file")
		require.NoError(t, os.WriteFile(cfg.Directory, nil, 0o600))
	} else {
		require.NoError(t, os.Chmod(parent, 0o500))
		t.Cleanup(func() { require.NoError(t, os.Chmod(parent, 0o700)) })
	}
	err := newEmbeddedStore(cfg, testSettings()).Start(context.Background(), newTestHost())
	require.ErrorContains(t, err, `"directory" `+cfg.Directory)
}

func TestAStoreThatIsNotOpen(t *testing.T) {
	store := newEmbeddedStore(testConfig(t), testSettings())
	requireUnavailable := func(t *testing.T) {
		t.Helper()
		require.ErrorIs(t, write(store, sample{up, time.Now(), 1}), metricstore.ErrUnavailable)
		_, err := store.Query(context.Background(), "up", time.Now())
		require.ErrorIs(t, err, metricstore.ErrUnavailable)
		_, err = store.QueryRange(context.Background(), "up", metricstore.Range{Start: time.Now(), End: time.Now(), Step: time.Second})
		require.ErrorIs(t, err, metricstore.ErrUnavailable)
		_, err = store.Querier(0, 1)
		require.ErrorIs(t, err, metricstore.ErrUnavailable)
		_, err = store.ChunkQuerier(0, 1)
		require.ErrorIs(t, err, metricstore.ErrUnavailable)
		_, err = store.ExemplarQuerier(context.Background())
		require.ErrorIs(t, err, metricstore.ErrUnavailable)
	}
	requireUnavailable(t)
	require.NoError(t, store.Shutdown(context.Background()))

	require.NoError(t, store.Start(context.Background(), newTestHost()))
	require.NoError(t, write(store, sample{up, time.Now(), 1}))
	require.NoError(t, store.Shutdown(context.Background()))
	requireUnavailable(t)
	require.NoError(t, store.Shutdown(context.Background()))
}

// copyOf takes the files of a store that runs, as a kill leaves them.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	target := filepath.Join(t.TempDir(), "copy")
	require.NoError(t, os.CopyFS(target, os.DirFS(dir)))
	return target
}

func TestAcknowledgedSamplesSurviveAKill(t *testing.T) {
	cfg := testConfig(t)
	store, _ := startStore(t, cfg)
	now := time.Now()
	want := map[string]int{}
	for i, name := range []string{"0", "1", "2"} {
		require.NoError(t, write(store, batch("load", i, 1000, now)...))
		want[name] = 1000
	}
	killed := *cfg
	killed.Directory = copyOf(t, cfg.Directory)
	after, _ := startStore(t, &killed)
	assert.Equal(t, want, countByBatch(t, after, "load", now))
}
