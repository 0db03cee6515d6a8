package evidence

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// tracesOf gives the traces that are known by exemplars alone, those of the case and others, and the worst ones of the
// affected services.
func tracesOf(ctx context.Context, source TraceSource, c *Case, named []Trace, windows []Window, b *Budget) (Evidence, error) {
	room := (b.Bytes / 2) / max(1, b.Exemplars+b.Traces)
	found, err := byExemplar(ctx, source, slices.Concat(c.Evidence.Traces, named), b, room)
	if err != nil {
		return found, err
	}
	services := first(c.Incident.AffectedServices, b.Services)
	for _, w := range windows {
		for _, service := range services {
			failed, slow, err := source.Worst(ctx, service, w, b.Traces)
			if err != nil {
				return found, err
			}
			found.Traces = append(found.Traces, described(failed, Failed, service, b, room)...)
			found.Traces = append(found.Traces, described(slow, Slow, service, b, room)...)
		}
	}
	return found, nil
}

// byExemplar gives those traces of exemplars that have spans, as many as are kept.
func byExemplar(ctx context.Context, source TraceSource, known []Trace, b *Budget, room int) (found Evidence, err error) {
	asked := map[string]bool{}
	for i := range known {
		t := known[i]
		if t.Reason != FromExemplar || t.Spans > 0 || asked[t.TraceID] || len(found.Traces) >= b.Exemplars {
			continue
		}
		asked[t.TraceID] = true
		td, err := source.Trace(ctx, t.TraceID)
		if errors.Is(err, ErrNoTrace) {
			continue
		}
		if err != nil {
			return found, err
		}
		t.describe(td, b.Spans, room)
		found.Traces = append(found.Traces, t)
	}
	return found, nil
}

func described(all []ptrace.Traces, reason Reason, service string, b *Budget, room int) []Trace {
	var traces []Trace
	for _, td := range all {
		t := Trace{Reason: reason, Service: service}
		t.describe(td, b.Spans, room)
		if t.Errors > 0 {
			t.Reason = Failed // whatever it was found by
		}
		if t.Spans > 0 {
			traces = append(traces, t)
		}
	}
	return traces
}

// maxFailures is how many failed spans are named.
const maxFailures = 5

// describe fills in what a trace says, with so many of its spans, and bytes of them. It may change td.
func (t *Trace) describe(td ptrace.Traces, spans, bytes int) {
	all := spansOf(td)
	if len(all) == 0 {
		return
	}
	root := rootOf(all)
	t.TraceID = root.span.TraceID().String()
	t.RootService, t.RootOperation = clip(root.service), clip(root.span.Name())
	t.Spans, t.Errors, t.Failures = len(all), 0, nil
	start, end := root.span.StartTimestamp(), root.span.EndTimestamp()
	var failed []placedSpan
	for _, s := range all {
		start, end = min(start, s.span.StartTimestamp()), max(end, s.span.EndTimestamp())
		if s.failed() {
			failed = append(failed, s)
		}
	}
	t.StartedAt, t.Duration, t.Errors = start.AsTime(), end.AsTime().Sub(start.AsTime()), len(failed)
	slices.SortStableFunc(failed, func(x, y placedSpan) int {
		return cmp.Or(cmp.Compare(y.depth, x.depth), cmp.Compare(x.span.StartTimestamp(), y.span.StartTimestamp()))
	})
	for _, s := range first(failed, maxFailures) {
		t.Failures = append(t.Failures, Failure{Service: clip(s.service), Operation: clip(s.span.Name()), Message: clip(s.message())})
	}
	t.OTLP, t.Kept = keep(all, spans, bytes)
}

// placedSpan is a span with what is above it.
type placedSpan struct {
	span    ptrace.Span
	rs      ptrace.ResourceSpans
	ss      ptrace.ScopeSpans
	service string
	// depth counts the ancestors that are in the trace.
	depth int
}

// spansOf gives all spans of a trace.
func spansOf(td ptrace.Traces) []placedSpan {
	var all []placedSpan
	parents := map[pcommon.SpanID]pcommon.SpanID{}
	for _, rs := range td.ResourceSpans().All() {
		service := "unknown_service"
		if name, is := rs.Resource().Attributes().Get("service.name"); is {
			service = name.AsString()
		}
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				all = append(all, placedSpan{span: span, rs: rs, ss: ss, service: service})
				parents[span.SpanID()] = span.ParentSpanID()
			}
		}
	}
	for i := range all {
		id := all[i].span.ParentSpanID()
		for all[i].depth < len(all) { // parents may be in a ring
			parent, is := parents[id]
			if !is {
				break
			}
			all[i].depth++
			id = parent
		}
	}
	return all
}

// rootOf gives the first span without a parent, or else the first one.
func rootOf(all []placedSpan) placedSpan {
	return slices.MinFunc(all, func(x, y placedSpan) int {
		return cmp.Or(cmp.Compare(x.depth, y.depth), cmp.Compare(x.span.StartTimestamp(), y.span.StartTimestamp()))
	})
}

func (s *placedSpan) failed() bool { return s.span.Status().Code() == ptrace.StatusCodeError }

// message says why a span failed.
func (s *placedSpan) message() string {
	if m := s.span.Status().Message(); m != "" {
		return m
	}
	for _, event := range s.span.Events().All() {
		if m, is := event.Attributes().Get("exception.message"); is {
			return m.AsString()
		}
	}
	if kind, is := s.span.Attributes().Get("error.type"); is {
		return kind.AsString()
	}
	return ""
}
