package sqlstore

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/quantivista/monitoring/internal/sqlstore/postgrestest"
)

// server is started by the first test that needs it, and stopped behind the last.
var server = sync.OnceValues(func() (*postgrestest.Server, error) { return postgrestest.New(serverSettings...) })

var serverStarted, databases = false, 0

func TestMain(m *testing.M) {
	code := m.Run()
	if serverStarted {
		if s, err := server(); err == nil {
			if err := s.Stop(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// each runs a test on an empty database of both kinds.
func each(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Helper()
	eachOpener(t, func(t *testing.T, open func() *Store) {
		s := open()
		require.NoError(t, s.Migrate(t.Context()))
		test(t, s)
	})
}

// eachOpener runs a test with a function that opens one database again and again, without migrating it.
func eachOpener(t *testing.T, test func(t *testing.T, open func() *Store)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "a dir?", "100%.db")
		test(t, func() *Store { return closeAtEnd(t)(OpenSQLite(SQLite{Path: path, BusyTimeout: 10 * time.Second})) })
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		url := emptyPostgres(t)
		test(t, func() *Store { return closeAtEnd(t)(OpenPostgres(postgresConfig(url))) })
	})
}

func postgresConfig(url string) Postgres {
	return Postgres{URL: url, MaxOpenConns: 10, MaxIdleConns: 5, ConnectTimeout: 5 * time.Second, StatementTimeout: 30 * time.Second}
}

func closeAtEnd(t testing.TB) func(*Store, error) *Store {
	return func(s *Store, err error) *Store {
		t.Helper()
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return s
	}
}

// emptyPostgres makes a database and gives its URL.
func emptyPostgres(t testing.TB) string {
	t.Helper()
	serverStarted = true
	s, err := server()
	require.NoError(t, err)
	databases++
	name := fmt.Sprintf("test_%d", databases)
	url, err := s.CreateDatabase(t.Context(), strings.ToLower(name))
	require.NoError(t, err)
	return url
}

var serverSettings = []string{"max_connections=200"}
