package spanmetrics

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
)

// Query evaluates PromQL that gives an instant vector.
type Query func(ctx context.Context, expr string, at time.Time) (promql.Vector, error)

// Operation of a service.
type Operation struct {
	Name string
	// Kind is server, client, producer, consumer or internal.
	Kind string
}

// Figures of the calls of an operation in a period. Counts are extrapolated, as PromQL's increase does.
type Figures struct {
	Calls, Errors float64
	// Mean and P95 are seconds; NaN without calls.
	Mean, P95 float64
}

// ErrorRatio is 0 without calls.
func (f Figures) ErrorRatio() float64 {
	if f.Calls == 0 {
		return 0
	}
	return f.Errors / f.Calls
}

// Verdict on an operation.
type Verdict string

// The verdicts. New and Gone have calls in one of the periods only.
const (
	Slower Verdict = "slower"
	Faster Verdict = "faster"
	Same   Verdict = "same"
	New    Verdict = "new"
	Gone   Verdict = "gone"
)

const (
	// notable is the share by which a duration must grow to be called slower.
	notable = 1.2
	// noticed is the least difference in seconds.
	noticed = 0.001
)

// Change of an operation from the period before to the current one.
type Change struct {
	Operation

	Previous, Current Figures
}

// Verdict says what became of it.
func (c *Change) Verdict() Verdict {
	switch {
	case c.Previous.Calls == 0:
		return New
	case c.Current.Calls == 0:
		return Gone
	case longer(c.Previous.P95, c.Current.P95), longer(c.Previous.Mean, c.Current.Mean):
		return Slower
	case longer(c.Current.P95, c.Previous.P95), longer(c.Current.Mean, c.Previous.Mean):
		return Faster
	default:
		return Same
	}
}

func longer(before, after float64) bool { return after >= before*notable && after-before >= noticed }

// SecondsMore is what the current calls took more than they would have at the mean before.
func (c *Change) SecondsMore() float64 {
	if c.Previous.Calls == 0 || c.Current.Calls == 0 {
		return 0
	}
	return (c.Current.Mean - c.Previous.Mean) * c.Current.Calls
}

// NewlyFails says whether there are errors, and were none.
func (c *Change) NewlyFails() bool { return c.Current.Errors > 0 && c.Previous.Errors == 0 }

// Compare the operations of a service from start to end with those of the time before, which is as long. Those that cost
// most more time come first.
func Compare(ctx context.Context, query Query, service string, start, end time.Time) ([]Change, error) {
	current, err := Operations(ctx, query, service, start, end)
	if err != nil {
		return nil, err
	}
	previous, err := Operations(ctx, query, service, start.Add(start.Sub(end)), start)
	if err != nil {
		return nil, err
	}
	none := Figures{Mean: math.NaN(), P95: math.NaN()}
	changes := map[Operation]Change{}
	for operation, figures := range current {
		changes[operation] = Change{operation, none, figures}
	}
	for operation, figures := range previous {
		change, ok := changes[operation]
		if !ok {
			change = Change{Operation: operation, Current: none}
		}
		change.Previous = figures
		changes[operation] = change
	}
	return slices.SortedFunc(maps.Values(changes), func(a, b Change) int {
		return cmp.Or(cmp.Compare(b.SecondsMore(), a.SecondsMore()), cmp.Compare(b.Current.Errors, a.Current.Errors),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind))
	}), nil
}

// Operations gives those of a service that had calls from start to end.
func Operations(ctx context.Context, query Query, service string, start, end time.Time) (map[Operation]Figures, error) {
	const by = "sum by (span_name, span_kind) "
	increase := func(metric, matcher string) string {
		return grown(fmt.Sprintf("traces_span_metrics_%s{service_name=%q%s}", metric, service, matcher), end.Sub(start))
	}
	found := map[Operation]Figures{}
	for _, each := range []struct {
		expr string
		set  func(f *Figures, value float64)
	}{
		{by + "(" + increase("calls_total", "") + ") > 0", func(f *Figures, v float64) { f.Calls = v; f.Mean, f.P95 = math.NaN(), math.NaN() }},
		{by + "(" + increase("calls_total", `,status_code="STATUS_CODE_ERROR"`) + ")", func(f *Figures, v float64) { f.Errors = v }},
		{by + "(" + increase("duration_seconds_sum", "") + ") / " + by + "(" + increase("duration_seconds_count", "") + ")", func(f *Figures, v float64) { f.Mean = v }},
		{"histogram_quantile(0.95, sum by (span_name, span_kind, le) (" + increase("duration_seconds_bucket", "") + "))", func(f *Figures, v float64) { f.P95 = v }},
	} {
		vector, err := query(ctx, each.expr, end)
		if err != nil {
			return nil, err
		}
		for _, sample := range vector {
			operation := Operation{sample.Metric.Get("span_name"), kind(sample.Metric)}
			figures := found[operation]
			each.set(&figures, sample.F)
			if figures.Calls > 0 { // The first query tells which there are.
				found[operation] = figures
			}
		}
	}
	return found, nil
}

// kind reads SPAN_KIND_SERVER.
func kind(of labels.Labels) string {
	return strings.ToLower(strings.TrimPrefix(of.Get("span_kind"), "SPAN_KIND_"))
}
