package metricstoreextension

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"

	"github.com/quantivista/monitoring/internal/metricstore"
)

// suspended gives a store that closed its TSDB because the disk is full, and the free space to change that.
func suspended(t *testing.T) (*embeddedStore, *testHost, *atomic.Uint64) {
	t.Helper()
	free := new(atomic.Uint64)
	free.Store(512 << 20)
	store, host := startStore(t, testConfig(t), impatient, fakeDisk(free))
	require.NoError(t, write(store, sample{up, time.Now(), 1}))
	free.Store(0)
	require.Eventually(t, func() bool { return store.current.Load() == nil }, soon, often)
	return store, host, free
}

func TestAnErrorOfTheSystemPasses(t *testing.T) {
	store, host, free := suspended(t)
	wal := filepath.Join(store.cfg.Directory, "wal")
	require.Eventually(t, func() bool { return os.Rename(wal, wal+".away") == nil }, soon, often)
	require.NoError(t, os.WriteFile(wal, nil, 0o600))
	free.Store(512 << 20)
	require.Eventually(t, func() bool {
		return host.status() == componentstatus.StatusRecoverableError && errors.Is(host.last().Err(), syscall.ENOTDIR)
	}, soon, often)

	require.NoError(t, os.Remove(wal))
	require.NoError(t, os.Rename(wal+".away", wal))
	require.Eventually(t, func() bool { return host.status() == componentstatus.StatusOK }, soon, often)
	assert.Len(t, instant(t, store, "up", time.Now()), 1)
}

func TestALogThatCannotBeRepairedIsPermanent(t *testing.T) {
	store, host, free := suspended(t)
	gap := filepath.Join(store.cfg.Directory, "wal", "00000099")
	require.Eventually(t, func() bool { return os.WriteFile(gap, nil, 0o600) == nil }, soon, often)
	free.Store(512 << 20)
	require.Eventually(t, func() bool { return host.status() == componentstatus.StatusPermanentError }, soon, often)
	require.ErrorContains(t, host.last().Err(), "segments are not sequential")
	_, err := store.Query(context.Background(), "up", time.Now())
	require.ErrorIs(t, err, metricstore.ErrUnavailable)
}

func TestShutdownOfASuspendedStore(t *testing.T) {
	store, _, _ := suspended(t)
	require.NoError(t, store.Shutdown(context.Background()))
}
