package metricstoreextension

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/wlog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/quantivista/monitoring/extensions/metricstoreextension/internal/metadata"
)

var late = labels.FromStrings("__name__", "late")

// brokenCopy gives a directory as a kill leaves it, whose log has 20 batches of 500 series and an out-of-order
// sample, and flips bytes of the log at this part of its length.
func brokenCopy(t *testing.T, now time.Time, part float64) string {
	t.Helper()
	cfg := testConfig(t)
	store, _ := startStore(t, cfg)
	require.NoError(t, write(store, sample{late, now, 1}))
	require.NoError(t, write(store, sample{late, now.Add(-20 * time.Minute), 2}))
	for i := range 20 {
		require.NoError(t, write(store, batch("load", i, 500, now)...))
	}
	dir := copyOf(t, cfg.Directory)
	segment := wlog.SegmentName(filepath.Join(dir, "wal"), 0)
	log, err := os.ReadFile(segment)
	require.NoError(t, err)
	at := int(float64(len(log)) * part)
	for i := range 16 {
		log[at+i] ^= 0xff
	}
	require.NoError(t, os.WriteFile(segment, log, 0o600))
	return dir
}

func TestACorruptedSegmentIsRepaired(t *testing.T) {
	now := time.Now()
	cfg := testConfig(t)
	cfg.Directory = brokenCopy(t, now, 0.5)

	core, logs := observer.New(zapcore.WarnLevel)
	set := extensiontest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	store := newEmbeddedStore(cfg, set)
	require.NoError(t, store.Start(context.Background(), newTestHost()))
	assert.NotZero(t, logs.FilterMessageSnippet("torn and is repaired").Len(), "%v", logs.All())

	got := countByBatch(t, store, "load", now)
	for i, name := range []string{"0", "1", "2", "3"} {
		assert.Equal(t, 500, got[name], "batch %d lies before the fault", i)
	}
	assert.Less(t, len(got), 20, "what lies behind the fault cannot be read")
	assert.Len(t, instant(t, store, "late", now.Add(-20*time.Minute)), 1, "the out-of-order sample is in a log of its own")
	assert.InDelta(t, 1, gathered(t, store, walCorruptions), 0)

	// The repaired log takes samples, and opens without a fault.
	require.NoError(t, write(store, batch("load", 100, 10, now)...))
	require.NoError(t, store.Shutdown(context.Background()))
	again, _ := startStore(t, cfg)
	assert.Equal(t, 10, countByBatch(t, again, "load", now)["100"])
	assert.InDelta(t, 0, gathered(t, again, walCorruptions), 0)
}

func gathered(t *testing.T, store *embeddedStore, name string) float64 {
	t.Helper()
	families, err := store.Gather()
	require.NoError(t, err)
	for _, family := range families {
		if family.GetName() == name {
			return family.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// A repair that runs out of space leaves the torn segment under another name and part of it under its own.
func TestARepairThatDidNotEndStartsOver(t *testing.T) {
	now := time.Now()
	dir := brokenCopy(t, now, 0.9)
	segment := wlog.SegmentName(filepath.Join(dir, "wal"), 0)
	require.NoError(t, os.Rename(segment, segment+repairSuffix))
	require.NoError(t, os.WriteFile(segment, nil, 0o600))
	require.NoError(t, os.RemoveAll(wlog.SegmentName(filepath.Join(dir, "wal"), 1)))

	cfg := testConfig(t)
	cfg.Directory = dir
	store, _ := startStore(t, cfg)
	got := countByBatch(t, store, "load", now)
	for _, name := range []string{"0", "5", "10"} {
		assert.Equal(t, 500, got[name], "batch %s", name)
	}
	left, err := filepath.Glob(filepath.Join(dir, "wal", "*"+repairSuffix))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestResumeRepairsOfANewDirectory(t *testing.T) {
	require.NoError(t, resumeRepairs(t.TempDir(), slog.New(slog.DiscardHandler)))
	assert.Zero(t, lastSegmentSize(t.TempDir()))
}
