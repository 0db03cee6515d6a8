package evidence

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/quantivista/monitoring/internal/metricstore"
)

type exemplarSource = storage.ExemplarQueryable

// exemplarCandidates is how many traces are looked for for each that is kept: most may not have been sampled.
const exemplarCandidates = 4

// The labels by which exemplars name their trace.
var traceLabels = []string{"trace_id", "traceID", "traceId", "TraceID"}

// exemplarsOf gives traces that series name which an alert may be of, the newest first.
func exemplarsOf(ctx context.Context, source exemplarSource, selectors [][]*labels.Matcher, of map[string]string, w Window, n int) ([]Trace, error) {
	if len(selectors) == 0 {
		return nil, nil
	}
	querier, err := source.ExemplarQuerier(ctx)
	if err != nil {
		return nil, err
	}
	results, err := querier.Select(w.Start.UnixMilli(), w.End.UnixMilli(), selectors...)
	switch {
	case errors.Is(err, metricstore.ErrUnavailable), errors.Is(err, metricstore.ErrTimeout), errors.Is(err, metricstore.ErrCanceled):
		return nil, err
	case err != nil:
		return nil, nil //nolint:nilerr // of a remote store that has no exemplars
	}
	var found []Trace
	for _, result := range results {
		if contradicts(result.SeriesLabels, of) {
			continue
		}
		for _, e := range result.Exemplars {
			// JSON has finite numbers only.
			if id := traceIDOf(e.Labels); id != "" && !math.IsNaN(e.Value) && !math.IsInf(e.Value, 0) {
				found = append(found, Trace{TraceID: id, Reason: FromExemplar, Exemplar: &Exemplar{
					Series: result.SeriesLabels.Get(model.MetricNameLabel), Value: e.Value, At: time.UnixMilli(e.Ts).UTC(),
				}})
			}
		}
	}
	slices.SortFunc(found, func(x, y Trace) int {
		return cmp.Or(y.Exemplar.At.Compare(x.Exemplar.At), cmp.Compare(x.TraceID, y.TraceID))
	})
	found = slices.CompactFunc(found, func(x, y Trace) bool { return x.TraceID == y.TraceID })
	return first(found, n), nil
}

// contradicts says that an alert has a label of the series with another value.
func contradicts(series labels.Labels, of map[string]string) (is bool) {
	series.Range(func(l labels.Label) {
		value, has := of[l.Name]
		is = is || has && value != l.Value && !setByRules(l.Name)
	})
	return is
}

// traceIDOf gives 32 hexadecimal digits; empty where there are none.
func traceIDOf(ls labels.Labels) string {
	for _, name := range traceLabels {
		if id := normalID(ls.Get(name)); id != "" {
			return id
		}
	}
	return ""
}

// normalID writes a trace id as OTLP does; empty for what is none.
func normalID(id string) string {
	if len(id) == 16 { // 64 bits, as of old tracers
		id = strings.Repeat("0", 16) + id
	}
	id = strings.ToLower(id)
	if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" || strings.Trim(id, "0") == "" {
		return ""
	}
	return id
}
