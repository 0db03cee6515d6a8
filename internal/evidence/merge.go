package evidence

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/quantivista/monitoring/internal/alert"
)

// Merge gives the best of what is kept and what was found, within the budget: the metric of each alert, the traces of
// exemplars and the worst ones, and the most frequent patterns. To merge the same again changes nothing, unless the bytes
// of the budget did not suffice.
func Merge(kept, found *Evidence, b *Budget) Evidence {
	merged := Evidence{
		Metrics: mergeMetrics(slices.Concat(kept.Metrics, found.Metrics), b),
		Traces:  mergeTraces(slices.Concat(kept.Traces, found.Traces), b),
		Logs:    mergeLogs(slices.Concat(kept.Logs, found.Logs), b),
	}
	merged.fit(b.Bytes)
	return merged
}

// first cuts a list; nil where nothing is left.
func first[T any](all []T, n int) []T {
	if n = min(len(all), n); n > 0 {
		return all[:n]
	}
	return nil
}

// unite makes one of the elements that share a key, by the function that gives the better one of two, the earlier one
// first.
func unite[T any](all []T, key func(*T) string, better func(a, b *T) T) []T {
	place := make(map[string]int, len(all))
	var united []T
	for i := range all {
		k := key(&all[i])
		if at, is := place[k]; is {
			united[at] = better(&united[at], &all[i])
			continue
		}
		place[k] = len(united)
		united = append(united, all[i])
	}
	return united
}

func mergeMetrics(all []Metric, b *Budget) []Metric {
	all = unite(all, func(m *Metric) string { return m.AlertID }, func(x, y *Metric) Metric {
		if len(x.Series) > 0 && (len(y.Series) == 0 || y.End.Before(x.End)) {
			return *x
		}
		return *y
	})
	slices.SortFunc(all, func(x, y Metric) int {
		return cmp.Or(bySeverity(x.Severity, y.Severity), x.StartsAt.Compare(y.StartsAt), cmp.Compare(x.AlertID, y.AlertID))
	})
	return first(all, b.Metrics)
}

func bySeverity(x, y alert.Severity) int {
	switch {
	case x.Worse(y):
		return -1
	case y.Worse(x):
		return 1
	default:
		return 0
	}
}

// mergeTraces has those of exemplars first, those with spans and of these the newest, then those that failed, then the slowest. Of those that
// failed or took long alike, one comes before the second of another kind.
func mergeTraces(all []Trace, b *Budget) []Trace {
	all = unite(all, func(t *Trace) string { return t.TraceID }, betterTrace)
	var exemplars, others []Trace
	for i := range all {
		if all[i].Reason == FromExemplar {
			exemplars = append(exemplars, all[i])
		} else {
			others = append(others, all[i])
		}
	}
	slices.SortFunc(exemplars, func(x, y Trace) int {
		return cmp.Or(cmp.Compare(min(y.Spans, 1), min(x.Spans, 1)), y.Exemplar.At.Compare(x.Exemplar.At), cmp.Compare(x.TraceID, y.TraceID))
	})
	byBadness := func(x, y Trace) int {
		return cmp.Or(cmp.Compare(min(y.Errors, 1), min(x.Errors, 1)), cmp.Compare(y.Duration, x.Duration), cmp.Compare(x.TraceID, y.TraceID))
	}
	slices.SortFunc(others, byBadness)
	nth, alike := map[string]int{}, map[string]int{}
	for i := range others {
		kind := others[i].kind()
		nth[others[i].TraceID] = alike[kind]
		alike[kind]++
	}
	slices.SortStableFunc(others, func(x, y Trace) int {
		return cmp.Or(cmp.Compare(min(y.Errors, 1), min(x.Errors, 1)), cmp.Compare(nth[x.TraceID], nth[y.TraceID]))
	})
	return slices.Concat(first(exemplars, b.Exemplars), first(others, b.Traces))
}

// kind tells traces apart that tell of different things.
func (t *Trace) kind() string {
	kind := t.RootService + "\x00" + t.RootOperation
	if len(t.Failures) > 0 {
		kind += "\x00" + t.Failures[0].Service + "\x00" + t.Failures[0].Operation
	}
	return kind
}

// betterTrace has what is known of the trace from the one with more spans, and the exemplar of either.
func betterTrace(x, y *Trace) Trace {
	better, other := *x, y
	if y.Spans > x.Spans || (y.Spans == x.Spans && y.Kept > x.Kept) {
		better, other = *y, x
	}
	if better.Exemplar == nil && other.Exemplar != nil {
		better.Exemplar = other.Exemplar
	}
	if better.Exemplar != nil {
		better.Reason = FromExemplar
	}
	better.Service = cmp.Or(better.Service, other.Service)
	return better
}

func mergeLogs(all []LogPattern, b *Budget) []LogPattern {
	all = unite(all, func(p *LogPattern) string { return p.Service + "\x00" + p.Pattern }, func(x, y *LogPattern) LogPattern {
		one := *x
		if one.TraceID == "" && y.TraceID != "" { // an example that leads to a trace tells more
			one.Example, one.Labels, one.TraceID, one.Severity = y.Example, y.Labels, y.TraceID, y.Severity
		}
		// The times that were looked at overlap.
		one.Count, one.AtLeast = max(x.Count, y.Count), x.AtLeast || y.AtLeast
		if y.FirstSeen.Before(one.FirstSeen) {
			one.FirstSeen = y.FirstSeen
		}
		if y.LastSeen.After(one.LastSeen) {
			one.LastSeen = y.LastSeen
		}
		return one
	})
	slices.SortFunc(all, func(x, y LogPattern) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), x.FirstSeen.Compare(y.FirstSeen), cmp.Compare(x.Service, y.Service), cmp.Compare(x.Pattern, y.Pattern))
	})
	return first(all, b.LogPatterns)
}

// fit drops what tells least until all of it has so many bytes: the spans of the last traces, then patterns, traces and
// metrics from the last one on.
func (e *Evidence) fit(bytes int) {
	for i := len(e.Traces) - 1; i >= 0 && e.size() > bytes; i-- {
		e.Traces[i].OTLP, e.Traces[i].Kept = nil, 0
	}
	for e.size() > bytes {
		switch {
		case len(e.Logs) > 1:
			e.Logs = e.Logs[:len(e.Logs)-1]
		case len(e.Traces) > 1:
			e.Traces = e.Traces[:len(e.Traces)-1]
		case len(e.Metrics) > 1:
			e.Metrics = e.Metrics[:len(e.Metrics)-1]
		default:
			*e = Evidence{}
			return
		}
	}
}

// size is that of the JSON that is stored.
func (e *Evidence) size() (bytes int) {
	return sizeOf(e.Metrics) + sizeOf(e.Traces) + sizeOf(e.Logs)
}

func sizeOf[T any](all []T) (bytes int) {
	for i := range all {
		data, err := json.Marshal(&all[i])
		if err != nil { // only what the sources made of JSON and texts is in it
			return 0
		}
		bytes += len(data)
	}
	return bytes
}
