package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

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
	l := startLoad(c, 4)
	l.awaitMore(100)
	d.fill(c)
	l.awaitRefusals(1)
	before, _ := c.rss()
	l.awaitRefusals(2000)
	after, peak := c.rss()
	t.Logf("%d batches acknowledged, %d refused; memory %d MiB when the disk was full, %d MiB later, peak %d MiB",
		l.count.Load(), l.refused.Load(), before, after, peak)
	assert.Less(t, after, before+maxGrowth, "MiB: what is refused is not kept")

	// Queries are answered, or refused for now; health is.
	status, body := get(t, at(c.api, "/api/v1/metrics?query=count(load)"))
	assert.Contains(t, []int{http.StatusOK, http.StatusServiceUnavailable}, status, body)
	status, body = get(t, at(c.api, "/api/v1/health"))
	assert.Equal(t, http.StatusOK, status, body)
	assert.NotEmpty(t, c.log().lines("disk"), "a line tells why")

	d.free(c)
	l.awaitMore(200) // without a restart
	l.end()
	l.requireAll(c)

	c.kill()
	c.start()
	l.requireAll(c)
	c.send(gauges("disk", "after_all", 0, 1, time.Now(), 1))
}

// maxGrowth of the memory, in MiB, by samples of known series and by the requests in flight.
const maxGrowth = 60

// fileSystem is filled by a file.
type fileSystem struct{ folder string }

func (f fileSystem) ballast() string { return filepath.Join(f.folder, "ballast") }

// fill all but so much that the collector gets half-way into a write.
func (f fileSystem) fill(c *collector) { f.leave(c.t, 100<<10) }

// leave fills all but some bytes.
func (f fileSystem) leave(t *testing.T, bytes int64) {
	t.Helper()
	file, err := os.Create(f.ballast())
	require.NoError(t, err)
	defer file.Close()
	await(t, "a full disk", func() error {
		var space unix.Statfs_t
		if err := unix.Statfs(f.folder, &space); err != nil {
			return err
		}
		// Who writes all the while may be first to take what was free just now.
		return unix.Fallocate(int(file.Fd()), 0, 0, int64(space.Bavail)*space.Bsize-bytes)
	})
}

func (f fileSystem) free(c *collector) {
	c.t.Helper()
	require.NoError(c.t, os.Remove(f.ballast()))
}

// sizeLimit bounds the files of a process.
type sizeLimit struct{}

func (sizeLimit) fill(c *collector) { c.limitFileSize(1 << 20) }
func (sizeLimit) free(c *collector) { c.limitFileSize(unix.RLIM_INFINITY) }

// limitFileSize sets the soft limit, up to the hard one.
func (c *collector) limitFileSize(bytes uint64) {
	c.t.Helper()
	pid := c.process.cmd.Process.Pid
	var limit unix.Rlimit
	require.NoError(c.t, unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &limit))
	limit.Cur = min(bytes, limit.Max)
	require.NoError(c.t, unix.Prlimit(pid, unix.RLIMIT_FSIZE, &limit, nil))
}
