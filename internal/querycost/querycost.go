// Package querycost refuses queries that Prometheus' engine could not stop.
package querycost

import (
	"fmt"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// Check refuses an expression with a subquery of more than maxSamples steps, as too many samples: a series that
// has data at each of them would be. One that has not is worse: the engine steps through all of them before it
// looks at its time-out again, so that count_over_time(up[100y:1ms]) holds a CPU for hours.
//
// The span is that of a range query, 0 for an instant query; defaultStep is that of subqueries without one. What
// does not parse passes: the engine tells why.
func Check(expr string, span, defaultStep time.Duration, maxSamples int) error {
	parsed, err := parser.ParseExpr(expr)
	if err != nil {
		return nil //nolint:nilerr // It is the engine's to tell.
	}
	var excess error
	parser.Inspect(parsed, func(node parser.Node, path []parser.Node) error {
		subquery, ok := node.(*parser.SubqueryExpr)
		if !ok {
			return nil
		}
		if steps := steps(subquery, path, span, defaultStep); steps > float64(maxSamples) && excess == nil {
			excess = fmt.Errorf("%w: the subquery %s has %.0f steps, at most %d are evaluated: take a longer step or a shorter range",
				promql.ErrTooManySamples("query execution"), subquery, steps, maxSamples)
		}
		return nil
	})
	return excess
}

// steps counts how often the inner expression of a subquery is evaluated: over the span of the query, its own
// range, and the ranges of the subqueries around it. A float, since ranges add up to more than a time.Duration has.
func steps(subquery *parser.SubqueryExpr, path []parser.Node, span, defaultStep time.Duration) float64 {
	window := float64(span) + float64(subquery.Range)
	for _, node := range path {
		if outer, ok := node.(*parser.SubqueryExpr); ok {
			window += float64(outer.Range)
		}
	}
	step := subquery.Step
	if step <= 0 {
		step = defaultStep
	}
	return window / float64(step)
}
