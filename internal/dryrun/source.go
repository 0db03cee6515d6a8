package dryrun

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// silent drops what Prometheus logs of templates that fail: the annotation shows it.
var silent = slog.New(slog.DiscardHandler)

// noURL is what templates get for the external URL.
var noURL = &url.URL{}

// source answers the queries of the rule from range queries, chunk by chunk, and those of its templates from the store.
type source struct {
	store Store
	expr  string
	step  time.Duration
	// each says that the query gives something else in a range than at one time.
	each bool

	// ahead are the vectors of the steps that were asked for, by time in milliseconds.
	ahead              map[int64]promql.Vector
	until              time.Time // of the last of them
	own                bool      // the next query is that of the rule
	instances, queries int
	warnings           []string
	// failed is what ends the run: templates swallow the errors of their queries.
	failed error
}

func newSource(store Store, query parser.Expr, step time.Duration) *source {
	return &source{store: store, expr: query.String(), step: step, each: usesRange(query)}
}

// usesRange looks for @ start() and @ end(), which are those of the range.
func usesRange(query parser.Expr) (uses bool) {
	parser.Inspect(query, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			uses = uses || n.StartOrEnd != 0
		case *parser.SubqueryExpr:
			uses = uses || n.StartOrEnd != 0
		}
		return nil
	})
	return uses
}

// to makes the next query that of the rule, at a step.
func (s *source) to(ctx context.Context, at, end time.Time) error {
	s.own = true
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if s.each || !at.After(s.until) {
		return nil
	}
	last := at.Add((chunk - 1) * s.step)
	if last.After(end) {
		last = end.Add(-(end.Sub(at) % s.step))
	}
	matrix, warnings, err := s.store.Range(ctx, s.expr, at, last, s.step)
	if err != nil {
		return err
	}
	s.warn(warnings)
	s.until, s.ahead = last, map[int64]promql.Vector{}
	for i := range matrix {
		series := &matrix[i]
		if s.instances += len(series.Floats) + len(series.Histograms); s.instances > maxInstances {
			return fmt.Errorf("%w: the query gives so many series that more than %d alerts were to be evaluated: choose a shorter range, a larger step, or a query that gives less",
				ErrTooMuch, maxInstances)
		}
		for _, p := range series.Floats {
			s.ahead[p.T] = append(s.ahead[p.T], promql.Sample{Metric: series.Metric, T: p.T, F: p.F})
		}
		for _, p := range series.Histograms {
			s.ahead[p.T] = append(s.ahead[p.T], promql.Sample{Metric: series.Metric, T: p.T, H: p.H})
		}
	}
	return nil
}

func (s *source) warn(warnings []string) {
	for _, w := range warnings {
		if len(s.warnings) < maxWarnings && !slices.Contains(s.warnings, w) {
			s.warnings = append(s.warnings, w)
		}
	}
}

// query is what Prometheus' rule asks by. The first one of an evaluation is its own; the others are its templates'.
func (s *source) query(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
	own := s.own
	s.own = false
	if own && !s.each {
		return s.ahead[at.UnixMilli()], nil
	}
	if !own {
		s.queries++
	}
	if s.failed == nil && s.queries > maxQueries {
		s.failed = fmt.Errorf("%w: its templates make more than %d queries: choose a shorter range or a larger step", ErrTooMuch, maxQueries)
	}
	if s.failed != nil {
		return nil, s.failed
	}
	vector, err := s.instant(ctx, expr, at)
	if ctx.Err() != nil {
		s.failed = errors.Join(err, ctx.Err())
	}
	if own {
		s.instances += len(vector)
		if s.instances > maxInstances {
			return nil, fmt.Errorf("%w: more than %d alerts were to be evaluated", ErrTooMuch, maxInstances)
		}
	}
	return vector, err
}

func (s *source) instant(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
	value, err := s.store.Instant(ctx, expr, at)
	if err != nil {
		return nil, err
	}
	switch v := value.(type) {
	case promql.Vector:
		return v, nil
	case promql.Scalar:
		return promql.Vector{{T: v.T, F: v.V, Metric: labels.EmptyLabels()}}, nil
	default:
		return nil, errors.New("the result of a rule must be a vector or a scalar")
	}
}
