package metricstoreextension

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/quantivista/monitoring/internal/metricstore"
)

// defaultSubqueryInterval is the step of a subquery that names none, Prometheus' default evaluation interval.
const defaultSubqueryInterval = time.Minute

// newEngine is the one place that builds Prometheus' engine.
func newEngine(q QueryLimits, logger *slog.Logger, reg prometheus.Registerer, tracker promql.QueryTracker) *promql.Engine {
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
	})
}

// Query evaluates an instant query.
func (s *embeddedStore) Query(ctx context.Context, expr string, at time.Time) (metricstore.Result, error) {
	o, err := s.opened()
	if err != nil {
		return metricstore.Result{}, err
	}
	q, err := o.engine.NewInstantQuery(ctx, o.db, nil, expr, at)
	if err != nil {
		return metricstore.Result{}, queryError(expr, err)
	}
	return execute(ctx, expr, q)
}

// QueryRange evaluates a range query.
func (s *embeddedStore) QueryRange(ctx context.Context, expr string, r metricstore.Range) (metricstore.Result, error) {
	o, err := s.opened()
	if err != nil {
		return metricstore.Result{}, err
	}
	q, err := o.engine.NewRangeQuery(ctx, o.db, nil, expr, r.Start, r.End, r.Step)
	if err != nil {
		return metricstore.Result{}, queryError(expr, err)
	}
	return execute(ctx, expr, q)
}

// execute runs a query and takes its result out of the engine's pools before it is closed.
func execute(ctx context.Context, expr string, q promql.Query) (metricstore.Result, error) {
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

// queryError maps the engine's errors to the port's.
func queryError(expr string, err error) error {
	var (
		timeout  promql.ErrQueryTimeout
		canceled promql.ErrQueryCanceled
		samples  promql.ErrTooManySamples
		stored   promql.ErrStorage
		syntax   parser.ParseErrors
	)
	switch {
	case errors.As(err, &syntax) && len(syntax) > 0:
		return syntaxError(expr, syntax[0])
	case errors.As(err, &timeout):
		return fmt.Errorf("%w: %w", metricstore.ErrTimeout, err)
	case errors.As(err, &canceled), errors.Is(err, context.Canceled):
		return fmt.Errorf("%w: %w", metricstore.ErrCanceled, err)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", metricstore.ErrTimeout, err)
	case errors.As(err, &samples):
		return fmt.Errorf("%w: %w", metricstore.ErrTooManySamples, err)
	case errors.As(err, &stored):
		return fmt.Errorf("%w: %w", metricstore.ErrUnavailable, err)
	default:
		return fmt.Errorf("%w: %w", metricstore.ErrExecution, err)
	}
}

func syntaxError(expr string, e parser.ParseErr) error {
	start := min(max(int(e.PositionRange.Start), 0), len(expr))
	end := min(max(int(e.PositionRange.End), start), len(expr))
	line, column := 1, 1
	for _, r := range expr[:start] {
		if column++; r == '\n' {
			line, column = line+1, 1
		}
	}
	return &metricstore.SyntaxError{Message: e.Err.Error(), Start: start, End: end, Line: line, Column: column}
}
