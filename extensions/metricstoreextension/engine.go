package metricstoreextension

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/features"

	"github.com/quantivista/monitoring/internal/querycost"
)

// defaultSubqueryInterval is the step of a subquery that names none, Prometheus' default evaluation interval.
const defaultSubqueryInterval = time.Minute

// newEngine is the one place that builds Prometheus' engine.
func newEngine(q QueryLimits, logger *slog.Logger, reg prometheus.Registerer, tracker promql.QueryTracker, can features.Collector) *promql.Engine {
	return promql.NewEngine(promql.EngineOpts{
		Logger:                   logger,
		Reg:                      reg,
		MaxSamples:               q.MaxSamples,
		Timeout:                  time.Duration(q.Timeout),
		ActiveQueryTracker:       tracker,
		LookbackDelta:            time.Duration(q.LookbackDelta),
		NoStepSubqueryIntervalFn: func(int64) int64 { return defaultSubqueryInterval.Milliseconds() },
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		FeatureRegistry:          can,
	})
}

// engine is Prometheus' engine whose queries end when the database closes that they began on.
type engine struct{ store *embeddedStore }

var _ promql.QueryEngine = engine{}

// NewInstantQuery over a queryable that the caller passes.
func (e engine) NewInstantQuery(ctx context.Context, q storage.Queryable, opts promql.QueryOpts, expr string, at time.Time) (promql.Query, error) {
	if err := e.affordable(expr, 0); err != nil {
		return nil, err
	}
	return e.prepare(ctx, func(ctx context.Context) (promql.Query, error) {
		return e.store.engine.NewInstantQuery(ctx, q, opts, expr, at)
	})
}

// NewRangeQuery over a queryable that the caller passes.
func (e engine) NewRangeQuery(ctx context.Context, q storage.Queryable, opts promql.QueryOpts, expr string, start, end time.Time, step time.Duration) (promql.Query, error) {
	if err := e.affordable(expr, end.Sub(start)); err != nil {
		return nil, err
	}
	return e.prepare(ctx, func(ctx context.Context) (promql.Query, error) {
		return e.store.engine.NewRangeQuery(ctx, q, opts, expr, start, end, step)
	})
}

// affordable refuses what would not end within the time-out.
func (e engine) affordable(expr string, span time.Duration) error {
	return querycost.Check(expr, span, defaultSubqueryInterval, e.store.cfg.Query.MaxSamples)
}

func (e engine) prepare(ctx context.Context, prepare func(context.Context) (promql.Query, error)) (promql.Query, error) {
	d := e.store.current.Load()
	if d == nil {
		return nil, errNotOpen
	}
	ctx, cancel := d.until(ctx)
	defer cancel()
	q, err := prepare(ctx)
	if err != nil {
		return nil, d.endedOr(err)
	}
	return query{Query: q, db: d}, nil
}

// query ends when its database closes.
type query struct {
	promql.Query
	db *database
}

// Exec runs the query once.
func (q query) Exec(ctx context.Context) *promql.Result {
	ctx, cancel := q.db.until(ctx)
	defer cancel()
	res := q.Query.Exec(ctx)
	if res.Err != nil {
		res.Err = q.db.endedOr(res.Err)
	}
	return res
}

// until gives a context that ends with the database, too.
func (d *database) until(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(d.queries, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// endedOr gives the reason for an error of a query that was aborted because the database closes.
func (d *database) endedOr(err error) error {
	if d.queries.Err() != nil {
		return fmt.Errorf("%w: %w", errNotOpen, err)
	}
	return err
}
