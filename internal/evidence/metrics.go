package evidence

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/metricstore"
)

// MetricSource is what is needed of a metric store.
type MetricSource interface {
	QueryRange(ctx context.Context, expr string, r metricstore.Range) (metricstore.Result, error)
	exemplarSource
}

// leastStep is the shortest time between two points.
const leastStep = 15 * time.Second

// metricsOf gives what the rules of an incident's alerts saw, and the traces that the series name. Only a store that
// does not answer is an error.
func metricsOf(ctx context.Context, source MetricSource, c *Case, w Window, b *Budget) (Evidence, error) {
	var found Evidence
	for _, a := range worstAlerts(c.Alerts, b.Metrics) {
		m := Metric{
			AlertID: a.ID, AlertName: a.Name(), Service: incident.ServiceOf(&a.Alert), Severity: a.Severity,
			StartsAt: a.LastStart(), Expression: clip(a.Expression()),
		}
		parsed, err := parse(a.Expression())
		if err != nil {
			m.Note = clip("The expression cannot be read: " + err.Error())
			found.Metrics = append(found.Metrics, m)
			continue
		}
		if err := m.fill(ctx, source, parsed, a.Labels, w, b); err != nil {
			return found, err
		}
		found.Metrics = append(found.Metrics, m)
		exemplars, err := exemplarsOf(ctx, source, parsed.selectors, a.Labels, w, exemplarCandidates*b.Exemplars)
		if err != nil {
			return found, err
		}
		found.Traces = append(found.Traces, exemplars...)
	}
	return found, nil
}

// worstAlerts gives alerts that rules raised, the worst and then the first ones first.
func worstAlerts(alerts []alert.Record, n int) []alert.Record {
	ruled := slices.DeleteFunc(slices.Clone(alerts), func(a alert.Record) bool { return a.Expression() == "" })
	slices.SortFunc(ruled, func(x, y alert.Record) int {
		return cmp.Or(bySeverity(x.Severity, y.Severity), x.LastStart().Compare(y.LastStart()), cmp.Compare(x.ID, y.ID))
	})
	return first(ruled, n)
}

// fill evaluates what the rule watches.
func (m *Metric) fill(ctx context.Context, source MetricSource, e *expression, of map[string]string, w Window, b *Budget) error {
	m.Query, m.Threshold = e.query, e.threshold
	m.Step = max(leastStep, (w.End.Sub(w.Start)/time.Duration(max(b.Points, 1))).Truncate(time.Second)+time.Second)
	m.End = w.End.Truncate(time.Millisecond).UTC() // the last point is the newest
	m.Start = m.End.Add(-m.End.Sub(w.Start).Truncate(m.Step))
	result, err := source.QueryRange(ctx, e.query, metricstore.Range{Start: m.Start, End: m.End, Step: m.Step})
	if err != nil {
		if isAway(err) {
			return err
		}
		m.Note = clip(err.Error())
		return nil
	}
	matrix, is := result.Value.(promql.Matrix)
	if !is {
		m.Note = fmt.Sprintf("The query gives a %s", result.Value.Type())
		return nil
	}
	if m.Series = nearest(matrix, of, b.Series); len(m.Series) == 0 {
		m.Note = "The query gives nothing in this time"
	}
	return nil
}

// isAway tells a store that does not answer from a query that it refuses.
func isAway(err error) bool {
	var syntax *metricstore.SyntaxError
	return !errors.As(err, &syntax) && !errors.Is(err, metricstore.ErrExecution) && !errors.Is(err, metricstore.ErrTooManySamples)
}

// nearest gives the series that contradict the labels of an alert least, which are its own first.
func nearest(matrix promql.Matrix, of map[string]string, n int) []Series {
	slices.SortStableFunc(matrix, func(x, y promql.Series) int {
		return cmp.Or(cmp.Compare(distance(x.Metric, of), distance(y.Metric, of)), labels.Compare(x.Metric, y.Metric))
	})
	var series []Series
	for _, s := range first(matrix, n) {
		points := make([]Point, 0, len(s.Floats))
		for _, p := range s.Floats {
			points = append(points, Point{At: time.UnixMilli(p.T).UTC(), Value: strconv.FormatFloat(p.F, 'g', -1, 64)})
		}
		for _, p := range s.Histograms { // of a native histogram the count says most in one number
			points = append(points, Point{At: time.UnixMilli(p.T).UTC(), Value: strconv.FormatFloat(p.H.Count, 'g', -1, 64)})
		}
		slices.SortFunc(points, func(x, y Point) int { return x.At.Compare(y.At) })
		series = append(series, Series{Labels: clipAll(s.Metric.Map()), Points: points})
	}
	return series
}

// distance counts the labels of a series that an alert has otherwise. Those that rules set are not counted.
func distance(series labels.Labels, of map[string]string) (n int) {
	series.Range(func(l labels.Label) {
		if value, is := of[l.Name]; l.Name != model.MetricNameLabel && (!is || value != l.Value) && !setByRules(l.Name) {
			n++
		}
	})
	return n
}

// setByRules names labels of alerts that say nothing of series.
func setByRules(name string) bool {
	return name == alert.SeverityLabel || strings.HasPrefix(name, "alert")
}
