package alertruleprocessor

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"

	"github.com/quantivista/monitoring/internal/metricstore"
)

// testStore is a metric store on a TSDB. It must be closed.
type testStore struct {
	component.Component
	*tsdb.DB
	engine *promql.Engine

	mu    sync.Mutex
	fail  error         // answers queries, where set
	write error         // answers rules' writes, where set
	block chan struct{} // queries wait for it, where set
	asked chan struct{} // gets a value for each blocked query
}

var _ metricstore.Store = (*testStore)(nil)

func openStore(t testing.TB, directory string) *testStore {
	t.Helper()
	o := tsdb.DefaultOptions()
	o.OutOfOrderTimeWindow = (30 * time.Minute).Milliseconds()
	db, err := tsdb.Open(directory, promslog.NewNopLogger(), nil, o, nil)
	require.NoError(t, err)
	return &testStore{DB: db, asked: make(chan struct{}, 1000), engine: promql.NewEngine(promql.EngineOpts{
		MaxSamples: 1_000_000, Timeout: time.Hour, LookbackDelta: 5 * time.Minute, EnableAtModifier: true, EnableNegativeOffset: true,
	})}
}

func (s *testStore) close(t testing.TB) {
	t.Helper()
	require.NoError(t, s.engine.Close())
	require.NoError(t, s.Close())
}

// Appender is what rules write by.
func (s *testStore) Appender(ctx context.Context) storage.Appender {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &testAppender{Appender: s.DB.Appender(ctx), fail: s.write}
}

// testAppender refuses all, where it fails.
type testAppender struct {
	storage.Appender
	fail error
}

func (a *testAppender) Append(ref storage.SeriesRef, ls labels.Labels, at int64, v float64) (storage.SeriesRef, error) {
	if a.fail != nil {
		return 0, a.fail
	}
	return a.Appender.Append(ref, ls, at, v)
}

func (a *testAppender) Commit() error {
	return errors.Join(a.fail, a.Appender.Commit())
}

// breakdown has every query from now on answered with this error.
func (s *testStore) breakdown(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// set writes samples of now. A series is a name with labels in pairs.
func (s *testStore) set(t testing.TB, value float64, series ...string) {
	t.Helper()
	app := s.DB.Appender(context.Background())
	_, err := app.Append(0, labels.FromStrings(append([]string{model.MetricNameLabel}, series...)...), time.Now().UnixMilli(), value)
	require.NoError(t, err)
	require.NoError(t, app.Commit())
}

// query gives the labels and values found now.
func (s *testStore) query(t testing.TB, expr string) map[string]float64 {
	t.Helper()
	q, err := s.engine.NewInstantQuery(context.Background(), s, nil, expr, time.Now())
	require.NoError(t, err)
	defer q.Close()
	vector, err := q.Exec(context.Background()).Vector()
	require.NoError(t, err)
	found := map[string]float64{}
	for _, sample := range vector {
		found[sample.Metric.String()] = sample.F
	}
	return found
}

func (s *testStore) Query(ctx context.Context, expr string, at time.Time) (metricstore.Result, error) {
	s.mu.Lock()
	fail, block := s.fail, s.block
	s.mu.Unlock()
	if block != nil {
		s.asked <- struct{}{}
		select {
		case <-block:
		case <-ctx.Done():
			return metricstore.Result{}, metricstore.ErrCanceled
		}
	}
	if fail != nil {
		return metricstore.Result{}, fail
	}
	q, err := s.engine.NewInstantQuery(ctx, s, nil, expr, at)
	if err != nil {
		return metricstore.Result{}, err
	}
	defer q.Close()
	r := q.Exec(ctx)
	return metricstore.Result{Value: r.Value}, r.Err
}

var errNotHere = errors.New("not in this test")

func (s *testStore) Start(context.Context, component.Host) error { return nil }
func (s *testStore) Shutdown(context.Context) error              { return nil }
func (s *testStore) SetMetadata(string, metadata.Metadata)       {}
func (s *testStore) QueryRange(context.Context, string, metricstore.Range) (metricstore.Result, error) {
	return metricstore.Result{}, errNotHere
}

func (s *testStore) ExemplarQuerier(context.Context) (storage.ExemplarQuerier, error) {
	return nil, errNotHere
}

func (s *testStore) PrometheusAPI(metricstore.Companions) (http.Handler, error) {
	return nil, errNotHere
}
