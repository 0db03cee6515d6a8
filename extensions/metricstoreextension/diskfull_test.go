package metricstoreextension

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"

	"github.com/quantivista/monitoring/internal/metricstore"
)

const (
	soon  = 10 * time.Second
	often = 5 * time.Millisecond
)

// A limit on the size of files fails the log's writes half-way through a record, as a full disk does, for every
// user on every machine.
func limitFileSize(t *testing.T, bytes uint64) (lift func()) {
	t.Helper()
	var before syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before))
	limit := before
	limit.Cur = bytes
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
	lift = func() { assert.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before)) }
	t.Cleanup(lift)
	return lift
}

func impatient(s *embeddedStore) { s.superviseEvery = often }

// fill writes batches by several writers at once until each is refused, and notes those that were acknowledged.
func fill(t *testing.T, store *embeddedStore, acknowledged map[string]int, now time.Time) {
	t.Helper()
	const writers = 4
	var (
		mu      sync.Mutex
		all     sync.WaitGroup
		refused atomic.Int64
	)
	for writer := range writers {
		all.Go(func() {
			for i := writer; i < 4000; i += writers {
				samples := batch("load", i, 500, now)
				if err := write(store, samples...); err != nil {
					assert.ErrorIs(t, err, metricstore.ErrUnavailable)
					refused.Add(1)
					return
				}
				mu.Lock()
				acknowledged[samples[0].labels.Get("batch")] = len(samples)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	require.EqualValues(t, writers, refused.Load(), "every writer was refused in the end")
}

func TestAFullDiskLosesNothingThatWasAcknowledged(t *testing.T) {
	cfg := testConfig(t)
	store, host := startStore(t, cfg, impatient)
	now := time.Now()
	acknowledged := map[string]int{}

	lift := limitFileSize(t, 256<<10)
	fill(t, store, acknowledged, now)
	lift()

	require.Eventually(t, func() bool {
		return write(store, batch("load", 5000, 10, now)...) == nil
	}, soon, often, "the store takes samples again without a restart")
	acknowledged["5000"] = 10
	require.NoError(t, write(store, batch("load", 5001, 2000, now)...))
	acknowledged["5001"] = 2000

	got := countByBatch(t, store, "load", now)
	for name, n := range acknowledged {
		assert.Equal(t, n, got[name], "batch %s, queried after the recovery", name)
	}
	require.Eventually(t, func() bool { return host.status() == componentstatus.StatusOK }, soon, often)

	killed := *cfg
	killed.Directory = copyOf(t, cfg.Directory)
	after, _ := startStore(t, &killed)
	got = countByBatch(t, after, "load", now)
	for name, n := range acknowledged {
		assert.Equal(t, n, got[name], "batch %s, after a kill", name)
	}
}

// fakeDisk reports free space out of 1 GiB.
func fakeDisk(free *atomic.Uint64) func(*embeddedStore) {
	return func(s *embeddedStore) {
		s.space = func(string) (uint64, uint64, error) { return free.Load(), 1 << 30, nil }
	}
}

func TestLowSpaceRefusesSamplesAndStillAnswers(t *testing.T) {
	var free atomic.Uint64
	free.Store(512 << 20)
	store, host := startStore(t, testConfig(t), impatient, fakeDisk(&free))
	now := time.Now()
	require.NoError(t, write(store, sample{up, now, 1}))

	free.Store(30 << 20)
	require.Eventually(t, func() bool { return write(store, sample{up, now, 1}) != nil }, soon, often)
	require.ErrorIs(t, write(store, sample{up, now, 1}), metricstore.ErrUnavailable)
	require.ErrorContains(t, write(store, sample{up, now, 1}), "the disk is full: 30 MiB are free")
	assert.Equal(t, componentstatus.StatusRecoverableError, host.status())
	assert.Len(t, instant(t, store, "up", now), 1)

	free.Store(512 << 20)
	require.Eventually(t, func() bool { return write(store, sample{up, now.Add(time.Second), 2}) == nil }, soon, often)
	assert.Equal(t, componentstatus.StatusOK, host.status())
}

func TestNoSpaceClosesTheTSDBUntilThereIsSome(t *testing.T) {
	var free atomic.Uint64
	free.Store(512 << 20)
	store, host := startStore(t, testConfig(t), impatient, fakeDisk(&free))
	now := time.Now()
	require.NoError(t, write(store, sample{up, now, 1}))

	free.Store(0)
	require.Eventually(t, func() bool { return store.current.Load() == nil }, soon, often)
	require.ErrorIs(t, write(store, sample{up, now, 1}), metricstore.ErrUnavailable)
	assert.Equal(t, componentstatus.StatusRecoverableError, host.status())

	free.Store(512 << 20)
	require.Eventually(t, func() bool { return write(store, sample{up, now.Add(time.Second), 2}) == nil }, soon, often)
	got := instant(t, store, "count_over_time(up[1m])", now.Add(time.Second))
	require.Len(t, got, 1)
	assert.InDelta(t, 2, got[0].F, 0)
}

// On a real file system that fills up, where this machine lets the test mount one; the tests above hold
// everywhere.
func TestAFullFileSystem(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=8m", "none", dir).CombinedOutput(); err != nil {
		t.Skipf("needs the right to mount a tmpfs: %v: %s", err, out)
	}
	t.Cleanup(func() {
		out, err := exec.CommandContext(context.Background(), "umount", dir).CombinedOutput()
		assert.NoError(t, err, string(out))
	})
	ballast := dir + "/ballast"
	require.NoError(t, os.WriteFile(ballast, make([]byte, 7<<20), 0o600))

	cfg := testConfig(t)
	cfg.Directory = dir + "/metrics"
	store, _ := startStore(t, cfg, impatient, func(s *embeddedStore) {
		// The supervisor learns of the shortage by the failed write only.
		s.space = func(dir string) (uint64, uint64, error) {
			free, _, err := systemDiskSpace(dir)
			return free, 1 << 20, err
		}
	})
	now := time.Now()
	acknowledged := map[string]int{}
	fill(t, store, acknowledged, now)

	require.NoError(t, os.Remove(ballast))
	require.Eventually(t, func() bool { return write(store, batch("load", 5000, 2000, now)...) == nil }, soon, often)
	acknowledged["5000"] = 2000

	killed := *cfg
	killed.Directory = copyOf(t, cfg.Directory)
	after, _ := startStore(t, &killed)
	got := countByBatch(t, after, "load", now)
	for name, n := range acknowledged {
		assert.Equal(t, n, got[name], "batch %s", name)
	}
}
