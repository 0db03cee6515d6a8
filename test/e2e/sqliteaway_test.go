package e2e

import (
	"database/sql"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestSQLiteLocked holds the lock of writers, as a backup or a curious person does, while alerts come and go.
func TestSQLiteLocked(t *testing.T) {
	t.Parallel()
	d := &database{t: t}
	c := startWithRules(t)
	w := startWaves(c, 2)
	w.awaitMore(2)

	other, err := sql.Open("sqlite", "file:"+c.file()+"?_pragma=busy_timeout(10000)")
	require.NoError(t, err)
	other.SetMaxOpenConns(1)
	defer other.Close()
	_, err = other.ExecContext(t.Context(), "BEGIN EXCLUSIVE")
	require.NoError(t, err)
	c.requireUnavailable(http.MethodPost, "/api/v1/incidents", someIncident)
	status, body := get(t, at(c.api, "/api/v1/incidents"))
	assert.Equal(t, http.StatusOK, status, "a writer locks no readers out: %s", body)
	w.awaitMore(3)
	c.awaitLines(1, awayLine, "database is locked")
	_, err = other.ExecContext(t.Context(), "ROLLBACK")
	require.NoError(t, err)
	require.NoError(t, other.Close())

	c.postJSON("/api/v1/incidents", http.StatusCreated, someIncident)
	w.awaitMore(2)
	w.end(d)
	c.awaitLines(1, backLine)
	c.requireQuiet(0)
	c.terminate()
}

// TestSQLiteReadOnly takes the right to write from the files. That needs a file system that can, and root, as CI is.
func TestSQLiteReadOnly(t *testing.T) {
	t.Parallel()
	d := &database{t: t}
	c := startWithRules(t)
	w := startWaves(c, 2)
	w.awaitMore(2)

	files, err := filepath.Glob(c.file() + "*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		if err := setImmutable(file, true); err != nil {
			t.Skipf("files cannot be made immutable here: %v", err)
		}
		t.Cleanup(func() {
			if _, err := os.Stat(file); err == nil {
				assert.NoError(t, setImmutable(file, false))
			}
		})
	}
	c.requireUnavailable(http.MethodPost, "/api/v1/incidents", someIncident)
	require.NoError(t, c.ready())
	w.awaitMore(3)
	c.awaitLines(1, awayLine)
	for _, file := range files {
		require.NoError(t, setImmutable(file, false))
	}
	await(t, "writing goes on without a restart", func() error {
		status, answer, err := tryRequest(http.MethodPost, at(c.api, "/api/v1/incidents"), "application/json", []byte(someIncident))
		if err == nil && status != http.StatusCreated {
			err = errors.New(string(answer))
		}
		return err
	})
	w.awaitMore(2)
	w.end(d)
	c.awaitLines(1, backLine)
	c.requireQuiet(0)
	c.terminate()
}

// immutable is FS_IMMUTABLE_FL of linux/fs.h.
const immutable = 0x10

// setImmutable has the kernel refuse every write to a file, those of root and of open descriptors too.
func setImmutable(path string, on bool) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	flags, err := unix.IoctlGetInt(int(file.Fd()), unix.FS_IOC_GETFLAGS)
	if err != nil {
		return err
	}
	if on {
		flags |= immutable
	} else {
		flags &^= immutable
	}
	return unix.IoctlSetPointerInt(int(file.Fd()), unix.FS_IOC_SETFLAGS, flags)
}
