package incidentexporter

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/quantivista/monitoring/exporters/incidentexporter/internal/metadata"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/sqlstore"
	"github.com/quantivista/monitoring/internal/state"
)

// testStore is a sql_store extension that can be away.
type testStore struct {
	component.Component
	*sqlstore.Store

	away   atomic.Bool
	refuse string                        // the name of an alert that conflicts with what is stored
	writes chan error                    // what each Write answered, as long as there is room
	hold   atomic.Pointer[chan struct{}] // what the next Write waits for, if anything
}

func (s *testStore) Write(ctx context.Context, do func(context.Context, incident.Tx) error) error {
	if hold := s.hold.Swap(nil); hold != nil {
		<-*hold
	}
	err := state.ErrUnavailable
	if !s.away.Load() {
		err = s.Store.Write(ctx, func(ctx context.Context, tx incident.Tx) error { return do(ctx, refusingTx{tx, s.refuse}) })
	}
	select {
	case s.writes <- err:
	default:
	}
	return err
}

// refusingTx refuses alerts of one name.
type refusingTx struct {
	incident.Tx
	name string
}

func (tx refusingTx) Intake(ctx context.Context, reports []alert.Alert, window time.Duration) ([]alert.Change, error) {
	if slices.ContainsFunc(reports, func(a alert.Alert) bool { return a.Name() == tx.name }) {
		return nil, state.ErrConflict
	}
	return tx.Tx.Intake(ctx, reports, window)
}

func openSQLite(t *testing.T) *testStore {
	store, err := sqlstore.OpenSQLite(sqlstore.SQLite{Path: filepath.Join(t.TempDir(), "state.db"), BusyTimeout: 10 * time.Second})
	return opened(t, store, err)
}

func opened(t *testing.T, store *sqlstore.Store, err error) *testStore {
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	require.NoError(t, store.Migrate(t.Context()))
	return &testStore{Store: store, writes: make(chan error, 100)}
}

// incidents gives all, the newest first.
func (s *testStore) incidents(t *testing.T) []incident.Summary {
	list, err := s.Incidents(t.Context(), incident.Query{})
	require.NoError(t, err)
	return list.Incidents
}

type testHost struct {
	component.Host
	extensions map[component.ID]component.Component
}

func (h testHost) GetExtensions() map[component.ID]component.Component { return h.extensions }

// direct has no queue and no retry, so that the answer is that of the store. A queue that waits for the result would
// take channels from a pool that it shares with the bubbles of synctest.
func direct(cfg *Config) {
	cfg.QueueConfig = configoptional.None[exporterhelper.QueueBatchConfig]()
	cfg.RetryConfig.Enabled = false
}

// start gives an exporter that writes to the store, and how to end it.
func start(t *testing.T, store component.Component, set exporter.Settings, change func(*Config)) (exporter.Metrics, func()) {
	return startBeside(t, nil, store, set, change)
}

// startBeside is start with further extensions.
func startBeside(t *testing.T, others map[component.ID]component.Component, store component.Component, set exporter.Settings, change func(*Config)) (exporter.Metrics, func()) {
	cfg := createDefaultConfig().(*Config)
	if change != nil {
		change(cfg)
	}
	e, err := NewFactory().CreateMetrics(t.Context(), set, cfg)
	require.NoError(t, err)
	host := testHost{componenttest.NewNopHost(), map[component.ID]component.Component{cfg.SQLStore: store}}
	maps.Copy(host.extensions, others)
	require.NoError(t, e.Start(t.Context(), host))
	return e, func() { require.NoError(t, e.Shutdown(context.Background())) }
}

func settings() exporter.Settings { return exportertest.NewNopSettings(metadata.Type) }

func firing(name string, start time.Time) alert.Alert {
	return alert.Alert{
		Labels: map[string]string{"alertname": name, "service": "cart"}, Severity: alert.High, Status: alert.Firing,
		StartsAt: start, UpdatedAt: start,
	}
}

func resolved(a alert.Alert, end time.Time) alert.Alert {
	a.Status, a.EndsAt, a.UpdatedAt = alert.Resolved, end, end
	return a
}

func metrics(t *testing.T, alerts ...alert.Alert) pmetric.Metrics {
	md, err := alert.Encode("test", alerts)
	require.NoError(t, err)
	return md
}
