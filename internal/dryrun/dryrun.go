// Package dryrun tells what an alerting rule would have done over a time that has passed.
//
// The rule is Prometheus' own, evaluated step by step; only the answers to its query come from a range query, instead of
// from one query a step, which gives the same at a fraction of the cost.
package dryrun

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
)

// The bounds of one dry run.
const (
	// MaxEvaluations is how many steps there may be, those before the start included.
	MaxEvaluations = 11_000
	// maxInstances is how many alerts may be evaluated, all steps together: each expands the templates of the rule.
	maxInstances = 100_000
	// maxQueries is how many queries the templates may make.
	maxQueries = 1_000
	// MaxAlerts are told.
	MaxAlerts = 1_000
	// maxWarnings are told.
	maxWarnings = 20
	// longest is more than MaxEvaluations of any step that makes sense can cover.
	longest = 100 * 365 * 24 * time.Hour
	// chunk is how many steps a range query has, so that not all of the answer is in memory.
	chunk = 250
)

// ErrTooMuch answers a dry run that would exceed a bound.
var ErrTooMuch = errors.New("the dry run is too large")

// Store answers PromQL.
type Store struct {
	// Instant gives the vector or scalar of one time.
	Instant func(ctx context.Context, expr string, at time.Time) (parser.Value, error)
	// Range gives the matrix of every step from start to end, both included, and warnings.
	Range func(ctx context.Context, expr string, start, end time.Time, step time.Duration) (promql.Matrix, []string, error)
}

// Rule is what is tried.
type Rule struct {
	Name string
	// Query is PromQL that gives a vector or a scalar.
	Query parser.Expr
	// For and KeepFiringFor are as of a rule in a file.
	For, KeepFiringFor  time.Duration
	Labels, Annotations map[string]string
}

// Span is when a rule is evaluated: at every step from start to end.
type Span struct {
	Start, End time.Time
	Step       time.Duration
}

// LeadIn is how many evaluations come before the start, so that what fires at the start is seen to do so.
func (s Span) LeadIn(r *Rule) int {
	steps := func(d time.Duration) int { return int((d + s.Step - 1) / s.Step) }
	return steps(min(r.For, longest)) + steps(min(r.KeepFiringFor, longest))
}

// Evaluations counts them all.
func (s Span) Evaluations(r *Rule) int { return int(s.End.Sub(s.Start)/s.Step) + 1 + s.LeadIn(r) }

// Run evaluates the rule over the span. It answers ErrTooMuch, or what the store does.
func Run(ctx context.Context, store Store, r *Rule, span Span) (Result, error) {
	if n := span.Evaluations(r); n > MaxEvaluations {
		return Result{}, fmt.Errorf("%w: it takes %d evaluations, of which at most %d are made: choose a shorter range or a larger step", ErrTooMuch, n, MaxEvaluations)
	}
	tried := rules.NewAlertingRule(r.Name, r.Query, r.For, r.KeepFiringFor,
		labels.FromMap(r.Labels), labels.FromMap(r.Annotations), labels.EmptyLabels(), "", true, silent)
	source := newSource(store, r.Query, span.Step)
	history := newHistory(span.Start)
	at := span.Start.Add(-time.Duration(span.LeadIn(r)) * span.Step)
	evaluations := 0
	for ; !at.After(span.End); at = at.Add(span.Step) {
		if err := source.to(ctx, at, span.End); err != nil {
			return Result{}, err
		}
		_, err := tried.Eval(ctx, 0, at, source.query, noURL, 0)
		if err = errors.Join(source.failed, err); err != nil {
			return Result{}, fmt.Errorf("at %s: %w", at.UTC().Format(time.RFC3339), err)
		}
		history.take(tried, at)
		evaluations++
	}
	result := history.result(at.Add(-span.Step))
	result.Evaluations, result.Warnings = evaluations, source.warnings
	return result, nil
}
