// Package sqlitetest gives tests of other packages a store on SQLite.
package sqlitetest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/sqlstore"
)

// migrated is an empty database with the schema. To migrate takes longer than most tests: each gets a copy.
var migrated = sync.OnceValues(func() (file []byte, err error) {
	dir, err := os.MkdirTemp("", "sqlitetest")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "state.db")
	store, err := sqlstore.OpenSQLite(sqlstore.SQLite{Path: path, BusyTimeout: time.Second})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(store.Migrate(context.Background()), store.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// Open gives a store of the test's own, with the schema and nothing in it. It is closed when the test ends.
func Open(t testing.TB, busyTimeout time.Duration) *sqlstore.Store {
	t.Helper()
	file, err := migrated()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "state.db")
	require.NoError(t, os.WriteFile(path, file, 0o600))
	store, err := sqlstore.OpenSQLite(sqlstore.SQLite{Path: path, BusyTimeout: busyTimeout})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	require.NoError(t, store.Migrate(t.Context()), "which has nothing left to do")
	return store
}
