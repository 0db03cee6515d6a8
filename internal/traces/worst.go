package traces

import (
	"cmp"
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// enough is how many candidates there are for each of the worst traces.
const enough = 10

// Worst gives the traces that show best what is wrong with a service from start to end: up to limit traces in which a
// span of it failed, the newest first, and up to limit of the others in which a span of it took longest, that first.
// What is slow is judged among the traces that the store gives first, 10 times limit.
func Worst(ctx context.Context, r Reader, name string, start, end time.Time, limit int) (failed, slow []ptrace.Traces, err error) {
	q := Query{Service: name, Start: start, End: end, Limit: limit, Attributes: Failed()}
	if failed, err = r.Find(ctx, &q); err != nil {
		return nil, nil, err
	}
	known := map[pcommon.TraceID]bool{}
	for _, td := range failed {
		known[ID(td)] = true
	}
	q.Attributes, q.Limit = nil, limit*enough
	candidates, err := r.Find(ctx, &q)
	if err != nil {
		return nil, nil, err
	}
	slow = slices.DeleteFunc(candidates, func(td ptrace.Traces) bool { return known[ID(td)] })
	slices.SortStableFunc(slow, func(a, b ptrace.Traces) int { return cmp.Compare(longest(b, name), longest(a, name)) })
	return failed, slow[:min(len(slow), limit)], nil
}

// ID gives the trace's id: that of its first span.
func ID(td ptrace.Traces) pcommon.TraceID {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			if ss.Spans().Len() > 0 {
				return ss.Spans().At(0).TraceID()
			}
		}
	}
	return pcommon.TraceID{}
}

// longest gives the duration of the longest span of a service.
func longest(td ptrace.Traces, name string) (d int64) {
	for _, rs := range td.ResourceSpans().All() {
		if ServiceName(rs.Resource()) != name {
			continue
		}
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				d = max(d, int64(span.EndTimestamp())-int64(span.StartTimestamp()))
			}
		}
	}
	return d
}

// ServiceName gives service.name, or what the specification says where it is missing.
func ServiceName(r pcommon.Resource) string {
	if v, ok := r.Attributes().Get("service.name"); ok && v.AsString() != "" {
		return v.AsString()
	}
	return "unknown_service"
}
