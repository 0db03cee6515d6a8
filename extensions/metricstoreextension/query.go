package metricstoreextension

import (
	"context"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/quantivista/monitoring/internal/metricstore"
)

// Query evaluates an instant query. Errors are the port's: see queryError.
func (s *embeddedStore) Query(ctx context.Context, expr string, at time.Time) (metricstore.Result, error) {
	return s.execute(ctx, expr, func(ctx context.Context, e engine) (promql.Query, error) {
		return e.NewInstantQuery(ctx, s, nil, expr, at)
	})
}

// QueryRange evaluates a range query. Errors are the port's: see queryError.
func (s *embeddedStore) QueryRange(ctx context.Context, expr string, r metricstore.Range) (metricstore.Result, error) {
	return s.execute(ctx, expr, func(ctx context.Context, e engine) (promql.Query, error) {
		return e.NewRangeQuery(ctx, s, nil, expr, r.Start, r.End, r.Step)
	})
}

// execute runs a query and takes its result out of the engine's pools before it is closed. The time-out holds
// for its wait in the queue, too.
func (s *embeddedStore) execute(ctx context.Context, expr string, prepare func(context.Context, engine) (promql.Query, error)) (metricstore.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(s.cfg.Query.Timeout))
	defer cancel()
	e := engine{s}
	q, err := prepare(ctx, e)
	if err != nil {
		return metricstore.Result{}, queryError(expr, err)
	}
	defer q.Close()
	res := q.Exec(ctx)
	if res.Err != nil {
		return metricstore.Result{}, queryError(expr, res.Err)
	}
	warnings, infos := res.Warnings.AsStrings(expr, 0, 0)
	return metricstore.Result{Value: detach(res.Value), Warnings: warnings, Infos: infos}, nil
}

// detach copies the points of a matrix, which the engine reuses once the query is closed.
func detach(v parser.Value) parser.Value {
	m, ok := v.(promql.Matrix)
	if !ok {
		return v
	}
	out := make(promql.Matrix, len(m))
	for i, series := range m {
		out[i] = promql.Series{
			Metric:     series.Metric,
			Floats:     append([]promql.FPoint(nil), series.Floats...),
			Histograms: append([]promql.HPoint(nil), series.Histograms...),
			DropName:   series.DropName,
		}
	}
	return out
}
