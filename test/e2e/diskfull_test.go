package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// disk is one that a test can fill and empty while a collector writes to it.
type disk interface {
	fill(c *collector)
	free(c *collector)
}

// A file system that fills up. Where this machine lets nobody mount one, a limit on the size of files: its writes
// fail half-way through a record, too.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "small")
	require.NoError(t, os.Mkdir(folder, 0o700))
	var d disk = fileSystem{folder}
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=64m", "none", folder).CombinedOutput(); err == nil {
		t.Cleanup(func() { assert.NoError(t, unix.Unmount(folder, 0)) })
	} else {
		t.Logf("no file system can be mounted (%s); files get a limit instead", out)
		d = sizeLimit{}
	}
	c := startCollector(t, allInOne, withOverlay("{extensions: {metric_store: {directory: "+folder+"/metrics}}}"))
	testFullDisk(t, c, d)
}

func TestALimitOnTheSizeOfFiles(t *testing.T) {
	t.Parallel()
	testFullDisk(t, startCollector(t, allInOne), sizeLimit{})
}

func testFullDisk(t *testing.T, c *collector, d disk) {
	t.Helper()
	l := newLoad(c, 1)
	write := func() error { return l.once(0, client) }
	for range 100 {
		require.NoError(t, write())
	}
	d.fill(c)
	var err error
	for range 10_000 {
		if err = write(); err != nil {
			break
		}
	}
	require.ErrorIs(t, err, errRetry, "10,000 batches on the full disk")
	before, _ := c.rss()
	for range 1000 {
		if err := write(); err != nil {
			require.ErrorIs(t, err, errRetry)
		}
	}
	after, peak := c.rss()
	t.Logf("%d batches acknowledged, %d refused; memory %d MiB when the disk was full, %d MiB after 1000 more requests, peak %d MiB",
		l.count.Load(), l.refused.Load(), before, after, peak)
	assert.Less(t, after, before+100, "MiB: what is refused is not kept")

	// Queries are answered, or refused for now; health is.
	status, body := get(t, at(c.api, "/api/v1/metrics?query=count(load)"))
	assert.Contains(t, []int{http.StatusOK, http.StatusServiceUnavailable}, status, body)
	status, body = get(t, at(c.api, "/api/v1/health"))
	assert.Equal(t, http.StatusOK, status, body)
	assert.NotEmpty(t, c.log().lines("disk"), "a line tells why")

	d.free(c)
	await(t, "samples are taken again without a restart", write)
	for range 100 {
		require.NoError(t, write())
	}
	l.requireAll(c)

	c.kill()
	c.start()
	l.requireAll(c)
	require.NoError(t, write())
}

// fileSystem is filled by a file.
type fileSystem struct{ folder string }

func (f fileSystem) ballast() string { return filepath.Join(f.folder, "ballast") }

// fill all but so much that the collector gets half-way into a write.
func (f fileSystem) fill(c *collector) {
	c.t.Helper()
	var space unix.Statfs_t
	require.NoError(c.t, unix.Statfs(f.folder, &space))
	size := int64(space.Bavail)*space.Bsize - 100<<10
	file, err := os.Create(f.ballast())
	require.NoError(c.t, err)
	defer file.Close()
	require.NoError(c.t, unix.Fallocate(int(file.Fd()), 0, 0, size))
}

func (f fileSystem) free(c *collector) {
	c.t.Helper()
	require.NoError(c.t, os.Remove(f.ballast()))
}

// sizeLimit bounds the files of a process.
type sizeLimit struct{}

func (sizeLimit) fill(c *collector) { setFileSize(c, 1<<20) }
func (sizeLimit) free(c *collector) { setFileSize(c, unix.RLIM_INFINITY) }

// setFileSize sets the soft limit, which may be raised again.
func setFileSize(c *collector, bytes uint64) {
	c.t.Helper()
	limit := unix.Rlimit{Cur: bytes, Max: unix.RLIM_INFINITY}
	require.NoError(c.t, unix.Prlimit(c.process.cmd.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil))
}
