package sqlstore

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/sqlstore/postgrestest"
	"github.com/quantivista/monitoring/internal/state"
)

func tryIntake(ctx context.Context, s *Store, reports ...alert.Alert) error {
	return s.Write(ctx, func(ctx context.Context, tx incident.Tx) error {
		_, err := tx.Intake(ctx, reports, window)
		return err
	})
}

// TestPasswordIsNeverShown makes every kind of connection error.
func TestPasswordIsNeverShown(t *testing.T) {
	const secret = "s3cr/et word"
	url := emptyPostgres(t)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := listener.Addr().(*net.TCPAddr).Port
	require.NoError(t, listener.Close())
	for name, cfg := range map[string]Postgres{
		"refused":       {Host: "127.0.0.1", Port: uint16(closed), User: "u", Password: secret, Database: "d"},
		"unknown host":  {Host: secret + ".invalid", User: "u", Password: secret},
		"wrong":         {URL: url, Password: secret},
		"in the user":   {URL: url, User: secret, Password: secret},
		"no database":   {URL: url, Database: postgrestest.Password},
		"in a bad URL":  {URL: "postgres://u:s3cr%2Fet%20word@localhost:port/d"},
		"in a bad URL2": {URL: "postgres://u:s3cr/et word@localhost/d"},
		"in a DSN":      {URL: "host=127.0.0.1 port=1 user=u password='" + secret + "'"},
		"bad DSN":       {URL: "host=127.0.0.1 port=x user=u password='" + secret + "'"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg.ConnectTimeout, cfg.MaxOpenConns = 5*time.Second, 2
			s, err := OpenPostgres(cfg)
			if err == nil {
				err = s.Migrate(t.Context())
				require.ErrorIs(t, err, state.ErrUnavailable)
				require.NoError(t, s.Close())
			}
			require.Error(t, err)
			for _, form := range []string{secret, "s3cr%2Fet", "s3cr/et", "s3cr", postgrestest.Password} {
				assert.NotContains(t, err.Error(), form)
			}
		})
	}
}

// TestPostgresComesAndGoes stops the server beneath a store, as an outage does.
func TestPostgresComesAndGoes(t *testing.T) {
	server, err := postgrestest.New()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	url, err := server.CreateDatabase(t.Context(), "outage")
	require.NoError(t, err)
	s := closeAtEnd(t)(OpenPostgres(postgresConfig(url)))
	require.NoError(t, s.Migrate(t.Context()))
	intake(t, s, firing(noon, noon))

	for _, stop := range []func() error{server.Shutdown, server.Kill} {
		require.NoError(t, stop())
		_, err = s.Alerts(t.Context(), alert.Query{})
		require.ErrorIs(t, err, state.ErrUnavailable)
		require.ErrorIs(t, tryIntake(t.Context(), s, firing(noon, noon)), state.ErrUnavailable)
		require.ErrorIs(t, s.Migrate(t.Context()), state.ErrUnavailable)
		require.NoError(t, server.Start())
		require.Len(t, alerts(t, s), 1, "the pool connects again")
	}

	require.NoError(t, server.Exec(t.Context(), "outage", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'outage' AND pid <> pg_backend_pid()"))
	require.Len(t, alerts(t, s), 1, "after its connections were killed")
	require.NoError(t, server.Exec(t.Context(), "outage", "ALTER DATABASE outage SET default_transaction_read_only = on"))
	readOnly := closeAtEnd(t)(OpenPostgres(postgresConfig(url)))
	require.ErrorIs(t, readOnly.Migrate(t.Context()), state.ErrUnavailable)
	readOnly.open.Store(true)
	require.ErrorIs(t, tryIntake(t.Context(), readOnly, firing(noon, noon, "n", "2")), state.ErrUnavailable)
}

func TestStatementTimeout(t *testing.T) {
	cfg := postgresConfig(emptyPostgres(t))
	cfg.StatementTimeout = 50 * time.Millisecond
	s := closeAtEnd(t)(OpenPostgres(cfg))
	require.NoError(t, s.Migrate(t.Context()))
	_, err := s.db.ExecContext(t.Context(), "SELECT pg_sleep(60)")
	require.ErrorIs(t, s.fault(err), state.ErrUnavailable)
}

// TestBrokenConnection has the server end the connections of a pool between two calls.
func TestBrokenConnection(t *testing.T) {
	s := closeAtEnd(t)(OpenPostgres(postgresConfig(emptyPostgres(t))))
	require.NoError(t, s.Migrate(t.Context()))
	other := closeAtEnd(t)(OpenPostgres(postgresConfig(s.flavour.(postgresFlavour).conn.ConnString())))
	for range 20 {
		intake(t, s, firing(noon, noon))
		_, err := other.db.ExecContext(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		require.NoError(t, err)
		require.Len(t, alerts(t, s), 1)
	}
}

func TestCanceledCall(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, tryIntake(ctx, s, firing(noon, noon)), context.Canceled)
		_, err := s.Alerts(ctx, alert.Query{})
		require.Error(t, err)
		intake(t, s, firing(noon, noon)) // and the turn was given back
	})
}

func TestSQLiteLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := closeAtEnd(t)(OpenSQLite(SQLite{Path: path, BusyTimeout: time.Millisecond}))
	require.NoError(t, s.Migrate(t.Context()))
	other, err := s.db.Conn(t.Context())
	require.NoError(t, err)
	_, err = other.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	require.NoError(t, err)
	require.NoError(t, s.Writable(t.Context()))
	require.ErrorIs(t, tryIntake(t.Context(), s, firing(noon, noon)), state.ErrUnavailable)
	require.ErrorIs(t, s.Writable(t.Context()), state.ErrUnavailable)
	assert.Empty(t, alerts(t, s), "readers do not wait")
	_, err = other.ExecContext(t.Context(), "ROLLBACK")
	require.NoError(t, err)
	require.NoError(t, other.Close())
	require.ErrorIs(t, s.Writable(t.Context()), state.ErrUnavailable, "nobody has written since")
	intake(t, s, firing(noon, noon))
	require.NoError(t, s.Writable(t.Context()))
}

// Where nobody writes, an outage ends all the same.
func TestWritableTriesItself(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		s.refused.Store(&refusal{state.ErrUnavailable, s.now()})
		require.ErrorIs(t, s.Writable(t.Context()), state.ErrUnavailable)
		s.refused.Store(&refusal{state.ErrUnavailable, s.now().Add(-tryAgainAfter)})
		require.NoError(t, s.Writable(t.Context()))
		require.Nil(t, s.refused.Load())
	})
}

func TestSQLiteCannotBeOpened(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte("this is no database, and long enough to be read as one: "+strings.Repeat("x", 200)), 0o600))
	for name, path := range map[string]string{"a directory": filepath.Dir(file), "below a file": filepath.Join(file, "state.db"), "not a database": file} {
		s := closeAtEnd(t)(OpenSQLite(SQLite{Path: path}))
		require.Error(t, s.Migrate(t.Context()), name)
	}
}

func TestSQLiteSettings(t *testing.T) {
	s := closeAtEnd(t)(OpenSQLite(SQLite{Path: filepath.Join(t.TempDir(), "state.db"), BusyTimeout: 1234 * time.Millisecond}))
	require.NoError(t, s.Migrate(t.Context()))
	for pragma, want := range map[string]string{"journal_mode": "wal", "foreign_keys": "1", "synchronous": "2", "busy_timeout": "1234"} {
		var got string
		require.NoError(t, s.db.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
		assert.Equal(t, want, got, pragma)
	}
}
