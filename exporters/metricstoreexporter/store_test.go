package metricstoreexporter

import (
	"context"
	"maps"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"

	exportermetadata "github.com/quantivista/monitoring/exporters/metricstoreexporter/internal/metadata"
	"github.com/quantivista/monitoring/internal/metricstore"
)

// testStore is a metric store on a TSDB in a temporary directory.
type testStore struct {
	component.Component
	*tsdb.DB

	mu       sync.Mutex
	families map[string]metadata.Metadata
	fail     error // answers Commit, where set
}

var _ metricstore.Store = (*testStore)(nil)

func newTestStore(tb testing.TB, change func(*tsdb.Options)) *testStore {
	o := tsdb.DefaultOptions()
	o.OutOfOrderTimeWindow = (30 * time.Minute).Milliseconds()
	o.EnableExemplarStorage, o.MaxExemplars = true, 10_000
	if change != nil {
		change(o)
	}
	db, err := tsdb.Open(tb.TempDir(), promslog.NewNopLogger(), nil, o, nil)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	return &testStore{DB: db, families: map[string]metadata.Metadata{}}
}

func (s *testStore) Start(context.Context, component.Host) error { return nil }
func (s *testStore) Shutdown(context.Context) error              { return nil }

func (s *testStore) Appender(ctx context.Context) storage.Appender {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &testAppender{Appender: s.DB.Appender(ctx), fail: s.fail}
}

// breakdown has every commit from now on answered with this error.
func (s *testStore) breakdown(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

func (s *testStore) SetMetadata(family string, m metadata.Metadata) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.families[family] = m
}

func (s *testStore) metadata() map[string]metadata.Metadata {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.families)
}

func (s *testStore) Query(context.Context, string, time.Time) (metricstore.Result, error) {
	return metricstore.Result{}, metricstore.ErrUnavailable
}

func (s *testStore) QueryRange(context.Context, string, metricstore.Range) (metricstore.Result, error) {
	return metricstore.Result{}, metricstore.ErrUnavailable
}

func (s *testStore) PrometheusAPI(metricstore.Companions) (http.Handler, error) {
	return nil, metricstore.ErrUnavailable
}

type testAppender struct {
	storage.Appender
	fail error
}

func (a *testAppender) Commit() error {
	if a.fail != nil {
		_ = a.Rollback()
		return a.fail
	}
	return a.Appender.Commit()
}

type testHost struct {
	component.Host
	extensions map[component.ID]component.Component
}

func (h testHost) GetExtensions() map[component.ID]component.Component { return h.extensions }

// startExporter gives an exporter that writes to the store.
func startExporter(tb testing.TB, store *testStore, change func(*Config)) *storeExporter {
	cfg := createDefaultConfig().(*Config)
	if change != nil {
		change(cfg)
	}
	e, err := newStoreExporter(cfg, exportertest.NewNopSettings(exportermetadata.Type))
	require.NoError(tb, err)
	host := testHost{componenttest.NewNopHost(), map[component.ID]component.Component{cfg.MetricStore: store}}
	require.NoError(tb, e.start(context.Background(), host))
	tb.Cleanup(func() { require.NoError(tb, e.shutdown(context.Background())) })
	return e
}
