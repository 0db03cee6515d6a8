package sqlstoreextension

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/hostext"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/rule"
	"github.com/quantivista/monitoring/internal/servicehealth"
	"github.com/quantivista/monitoring/internal/sqlstore/postgrestest"
	"github.com/quantivista/monitoring/internal/state"
)

// testHost keeps what is reported, in its order.
type testHost struct {
	extensions map[component.ID]component.Component
	events     chan *componentstatus.Event
}

func newTestHost() *testHost { return &testHost{events: make(chan *componentstatus.Event, 100)} }

func (h *testHost) GetExtensions() map[component.ID]component.Component { return h.extensions }
func (h *testHost) Report(e *componentstatus.Event)                     { h.events <- e }

// await waits for a status and gives its event.
func (h *testHost) await(t *testing.T, status componentstatus.Status) *componentstatus.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		select {
		case e := <-h.events:
			if e.Status() == status {
				return e
			}
		case <-ctx.Done():
			require.Fail(t, "not reported", status)
		}
	}
}

func newStore(t *testing.T, cfg *Config) (*sqlStore, *observer.ObservedLogs) {
	t.Helper()
	require.NoError(t, cfg.Validate())
	core, logs := observer.New(zapcore.DebugLevel)
	set := extensiontest.NewNopSettings(NewFactory().Type())
	set.Logger = zap.New(core)
	ext, err := create(t.Context(), set, cfg)
	require.NoError(t, err)
	store := ext.(*sqlStore)
	store.checkEvery = 10 * time.Millisecond
	t.Cleanup(func() { require.NoError(t, store.Shutdown(context.Background())) })
	return store, logs
}

func sqliteAt(path string) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.SQLite.Path = path
	return cfg
}

func postgresAt(url string) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.Driver, cfg.Postgres.URL = driverPostgres, configopaque.String(url)
	return cfg
}

func TestPortsAreFoundByID(t *testing.T) {
	store, _ := newStore(t, sqliteAt(filepath.Join(t.TempDir(), "data", "state", "monitoring.db")))
	id := component.MustNewID("sql_store")
	host := newTestHost()
	host.extensions = map[component.ID]component.Component{id: store}
	require.NoError(t, store.Start(t.Context(), host))
	host.await(t, componentstatus.StatusOK)

	writer, err := hostext.Find[incident.Writer](host, id)
	require.NoError(t, err)
	reader, err := hostext.Find[alert.Reader](host, id)
	require.NoError(t, err)
	_, err = hostext.Find[incident.Reader](host, id)
	require.NoError(t, err)
	_, err = hostext.Find[rule.Store](host, id)
	require.NoError(t, err)
	_, err = hostext.Find[servicehealth.Records](host, id)
	require.NoError(t, err)

	now := time.Now()
	require.NoError(t, writer.Write(t.Context(), func(ctx context.Context, tx incident.Tx) error {
		_, err := tx.Intake(ctx, []alert.Alert{{
			Labels: map[string]string{"alertname": "a"}, Severity: alert.High, Status: alert.Firing, StartsAt: now, UpdatedAt: now,
		}}, time.Hour)
		return err
	}))
	list, err := reader.Alerts(t.Context(), alert.Query{})
	require.NoError(t, err)
	assert.Len(t, list.Alerts, 1)
}

func TestStateOutlivesARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	for want := range 2 {
		store, _ := newStore(t, sqliteAt(path))
		require.NoError(t, store.Start(t.Context(), newTestHost()))
		rules, _, err := store.EnabledRules(t.Context())
		require.NoError(t, err)
		assert.Len(t, rules, want)
		_, err = store.CreateRule(t.Context(), rule.Rule{Name: "a", Query: "up", Duration: "0s", EvaluationInterval: "15s", Severity: alert.Low, Enabled: true})
		require.NoError(t, err)
		require.NoError(t, store.Shutdown(t.Context()))
		require.NoError(t, store.Shutdown(t.Context()), "twice")
		_, _, err = store.EnabledRules(t.Context())
		require.ErrorIs(t, err, state.ErrUnavailable)
	}
}

// TestStartsWithoutDatabase stops PostgreSQL before the start, and again later.
func TestStartsWithoutDatabase(t *testing.T) {
	server, err := postgrestest.New()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	url, err := server.CreateDatabase(t.Context(), "monitoring")
	require.NoError(t, err)
	require.NoError(t, server.Shutdown())

	store, logs := newStore(t, postgresAt(url))
	host := newTestHost()
	require.NoError(t, store.Start(t.Context(), host), "the collector must come up")
	event := host.await(t, componentstatus.StatusRecoverableError)
	require.ErrorIs(t, event.Err(), state.ErrUnavailable)
	_, err = store.CountFiring(t.Context())
	require.ErrorIs(t, err, state.ErrUnavailable)

	for range 2 {
		require.NoError(t, server.Start())
		host.await(t, componentstatus.StatusOK)
		n, err := store.CountFiring(t.Context())
		require.NoError(t, err)
		assert.Zero(t, n)
		require.NoError(t, server.Kill())
		host.await(t, componentstatus.StatusRecoverableError)
	}
	for _, entry := range logs.All() {
		assert.NotContains(t, entry.Message, postgrestest.Password)
		for _, field := range entry.Context {
			assert.NotContains(t, field.String, postgrestest.Password)
			if err, ok := field.Interface.(error); ok {
				assert.NotContains(t, err.Error(), postgrestest.Password)
			}
		}
	}
}

func TestNewerSchemaIsFatal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	older, _ := newStore(t, sqliteAt(path))
	require.NoError(t, older.Start(t.Context(), newTestHost()))
	require.NoError(t, older.Shutdown(t.Context()))
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), `INSERT INTO schema_migrations (name, group_id) VALUES ('9001', 9)`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	store, _ := newStore(t, sqliteAt(path))
	require.ErrorContains(t, store.Start(t.Context(), newTestHost()), "the database's schema is of version 9001")
}

// TestNewerSchemaBehindAnOutage finds it only once the database is there.
func TestNewerSchemaBehindAnOutage(t *testing.T) {
	server, err := postgrestest.New()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	url, err := server.CreateDatabase(t.Context(), "monitoring")
	require.NoError(t, err)
	older, _ := newStore(t, postgresAt(url))
	require.NoError(t, older.Start(t.Context(), newTestHost()))
	require.NoError(t, older.Shutdown(t.Context()))
	require.NoError(t, server.Exec(t.Context(), "monitoring", `INSERT INTO schema_migrations (id, name, group_id) VALUES (99, '9001', 9)`))
	require.NoError(t, server.Shutdown())

	store, _ := newStore(t, postgresAt(url))
	host := newTestHost()
	require.NoError(t, store.Start(t.Context(), host))
	host.await(t, componentstatus.StatusRecoverableError)
	require.NoError(t, server.Start())
	event := host.await(t, componentstatus.StatusFatalError)
	require.ErrorContains(t, event.Err(), "9001")
}

func TestWrongConfigFailsAtOnce(t *testing.T) {
	for name, cfg := range map[string]*Config{
		"URL": postgresAt("postgres://u:geheim@host:port/d"),
		"certificate": func() *Config {
			cfg := postgresAt("postgres://u:geheim@host/d")
			cfg.Postgres.TLS.GetOrInsertDefault().CAFile = "missing.pem"
			return cfg
		}(),
	} {
		var set extension.Settings
		_, err := create(t.Context(), set, cfg)
		require.Error(t, err, name)
		assert.NotContains(t, err.Error(), "geheim")
	}
	store, _ := newStore(t, sqliteAt("/dev/null/state.db"))
	require.ErrorContains(t, store.Start(t.Context(), newTestHost()), "make the directory of the database")
}
