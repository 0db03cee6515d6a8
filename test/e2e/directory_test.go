package e2e

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// elsewhere gives file_storage a folder of its own, so that the metric store is the first to meet the fault.
func elsewhere(t *testing.T) option {
	t.Helper()
	return withOverlay("{extensions: {file_storage: {directory: " + t.TempDir() + "}}}")
}

// requireFailedStart wants an end with an error that holds all words.
func (c *collector) requireFailedStart(words ...string) {
	c.t.Helper()
	c.process = c.launch()
	assert.NotZero(c.t, exitCode(c.process.wait(c.t)), "the exit code")
	assert.NotEmpty(c.t, c.log().lines(append(words, "Error:")...), "no line says %q:\n%s", words, c.log().tail(3000))
}

func TestAFileInPlaceOfTheDirectory(t *testing.T) {
	t.Parallel()
	c := newCollector(t, allInOne, elsewhere(t))
	directory := filepath.Join(c.data, "metrics")
	require.NoError(t, os.WriteFile(directory, nil, 0o600))
	c.requireFailedStart(`"directory" `+directory, "name another directory", "not a directory")
}

func TestADirectoryThatIsNotWritable(t *testing.T) {
	t.Parallel()
	c := newCollector(t, allInOne, elsewhere(t), withWrapper(unprivileged(t)...))
	directory := filepath.Join(c.data, "metrics")
	require.NoError(t, os.Mkdir(directory, 0o500))
	c.requireFailedStart(`"directory" `+directory, "not writable", "give its user the right to", "permission denied")

	require.NoError(t, os.Chmod(directory, 0o700))
	c.start()
}

// unprivileged gives a command that takes away root's right to write everywhere, where this process has it.
func unprivileged(t *testing.T) []string {
	t.Helper()
	readOnly := t.TempDir()
	require.NoError(t, os.Chmod(readOnly, 0o500))
	err := os.WriteFile(filepath.Join(readOnly, "file"), nil, 0o600)
	if err != nil {
		require.ErrorIs(t, err, syscall.EACCES)
		return nil
	}
	return []string{"setpriv", "--bounding-set=-dac_override"}
}

func TestADirectoryInUseByAnotherProcess(t *testing.T) {
	t.Parallel()
	first := startCollector(t, allInOne)
	second := newCollector(t, allInOne, elsewhere(t))
	second.data = first.data
	second.requireFailedStart(`"directory" `+filepath.Join(first.data, "metrics"), "in use by another process", "stop it")

	// The first has not noticed.
	first.send(gauges("shop", "still_here", 0, 1, time.Now(), 1))
	assert.InDelta(t, 1, first.number("still_here"), 0)
	first.terminate()
	second.start()
	assert.InDelta(t, 1, second.number("still_here"), 0)
}
