package metricstoreextension

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const crashChild = "METRICSTORE_TEST_CRASH_CHILD"

// The TSDB panics where it cannot write a chunk of samples that it has taken, and leaves goroutines behind. This
// test does it in a process of its own.
func TestATSDBThatCannotFlushDoesNotEndTheProcess(t *testing.T) {
	if os.Getenv(crashChild) != "" {
		survivePanic(t)
		return
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), crashChild+"=1", "TMPDIR="+t.TempDir())
	out, err := child.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "panicked and survived")
}

// survivePanic ends the process well where the store takes samples after its TSDB has panicked.
func survivePanic(t *testing.T) {
	t.Helper()
	cfg := testConfig(t)
	store := newEmbeddedStore(cfg, testSettings())
	impatient(store)
	require.NoError(t, store.Start(t.Context(), newTestHost()))
	now := time.Now()
	const points = 150 // more than a chunk has, so that a close flushes one
	for i := range points {
		require.NoError(t, write(store, sample{up, now.Add(time.Duration(i-points) * time.Second), 1}))
	}
	lift := limitFileSize(t, 16<<10) // less than a file of chunks is given at first
	fill(t, store, map[string]int{}, now)
	require.Eventually(t, func() bool { return store.running.supervisor.panics.Load() == 1 }, soon, often)
	lift()
	require.Eventually(t, func() bool { return write(store, sample{up, now, 1}) == nil }, soon, often)
	got := instant(t, store, "count_over_time(up[10m])", now)
	require.Len(t, got, 1)
	require.InDelta(t, points+1, got[0].F, 0)
	fmt.Println("panicked and survived")
	os.Exit(0)
}
