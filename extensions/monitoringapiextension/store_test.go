package monitoringapiextension

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage/remote"
	"github.com/prometheus/prometheus/util/teststorage"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"

	"github.com/quantivista/monitoring/internal/metricstore"
)

// testStore is a metric store in memory, with Prometheus' remote write and read.
type testStore struct {
	component.StartFunc
	component.ShutdownFunc
	*teststorage.TestStorage

	engine *promql.Engine
	// fail, where set, answers every query.
	mu   sync.Mutex
	fail error
	// block, where set, runs before every query.
	block func(context.Context)
}

var _ metricstore.Store = (*testStore)(nil)

// newTestStore holds the series of promqltest's notation.
func newTestStore(t testing.TB, load string) *testStore {
	t.Helper()
	s := &testStore{TestStorage: promqltest.LoadedStorage(t, load), engine: promqltest.NewTestEngine(t, false, 5*time.Minute, 10_000)}
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func (s *testStore) Query(ctx context.Context, expr string, at time.Time) (metricstore.Result, error) {
	q, err := s.engine.NewInstantQuery(ctx, s, nil, expr, at)
	return s.run(ctx, expr, q, err)
}

func (s *testStore) QueryRange(ctx context.Context, expr string, r metricstore.Range) (metricstore.Result, error) {
	q, err := s.engine.NewRangeQuery(ctx, s, nil, expr, r.Start, r.End, r.Step)
	return s.run(ctx, expr, q, err)
}

func (s *testStore) run(ctx context.Context, expr string, q promql.Query, err error) (metricstore.Result, error) {
	if s.block != nil {
		s.block(ctx)
	}
	var syntax parser.ParseErrors
	switch {
	case ctx.Err() != nil:
		return metricstore.Result{}, metricstore.ErrCanceled
	case s.failure() != nil:
		return metricstore.Result{}, s.failure()
	case errors.As(err, &syntax):
		start := int(syntax[0].PositionRange.Start)
		return metricstore.Result{}, &metricstore.SyntaxError{Message: syntax[0].Err.Error(), Start: start, End: start, Line: 1, Column: start + 1}
	case err != nil:
		return metricstore.Result{}, fmt.Errorf("%w: %w", metricstore.ErrExecution, err)
	}
	res := q.Exec(ctx)
	var many promql.ErrTooManySamples
	switch {
	case errors.As(res.Err, &many):
		return metricstore.Result{}, fmt.Errorf("%w: %w", metricstore.ErrTooManySamples, res.Err)
	case res.Err != nil:
		return metricstore.Result{}, fmt.Errorf("%w: %w", metricstore.ErrExecution, res.Err)
	}
	warnings, infos := res.Warnings.AsStrings(expr, 0, 0)
	return metricstore.Result{Value: res.Value, Warnings: warnings, Infos: infos}, nil
}

// breakdown has every query from now on answered with this error.
func (s *testStore) breakdown(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

func (s *testStore) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fail
}

func (s *testStore) SetMetadata(string, metadata.Metadata) {}

// PrometheusAPI serves what the way of a body matters for.
func (s *testStore) PrometheusAPI(c metricstore.Companions) (http.Handler, error) {
	logger := slog.New(slog.DiscardHandler)
	noConfig := func() config.Config { return config.Config{} }
	mux := http.NewServeMux()
	mux.Handle("/api/v1/write", remote.NewWriteHandler(logger, nil, s, remoteapi.MessageTypes{remoteapi.WriteV1MessageType, remoteapi.WriteV2MessageType}, false, false, false))
	mux.Handle("/api/v1/read", remote.NewReadHandler(logger, nil, s, noConfig, 1000, 1, 1<<20))
	mux.Handle("/api/v1/targets", c.Targets)
	mux.HandleFunc("/api/v1/panic", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("late") {
			_, _ = w.Write([]byte("a part"))
		}
		_ = []int{}[len(r.Method)]
	})
	return mux, nil
}
