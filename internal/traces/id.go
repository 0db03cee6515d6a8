package traces

import (
	"encoding/hex"
	"errors"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

var errID = errors.New("must be a trace id: 32 or 16 hexadecimal digits, not all zeros")

// ParseID reads 32 or 16 hexadecimal digits that are not all zeros.
func ParseID(s string) (id pcommon.TraceID, err error) {
	if len(s) == 16 {
		s = strings.Repeat("0", 16) + s
	}
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != len(id) {
		return id, errID
	}
	copy(id[:], raw)
	if id.IsEmpty() {
		return id, errID
	}
	return id, nil
}

// Split makes one Traces of each trace in td, in the order of their first spans. It moves the spans: td is spent.
func Split(td ptrace.Traces) []ptrace.Traces {
	var (
		order []ptrace.Traces
		byID  = map[pcommon.TraceID]ptrace.Traces{}
	)
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			// Where this scope's spans go, by trace.
			into := map[pcommon.TraceID]ptrace.SpanSlice{}
			for _, span := range ss.Spans().All() {
				spans, ok := into[span.TraceID()]
				if !ok {
					one, ok := byID[span.TraceID()]
					if !ok {
						one = ptrace.NewTraces()
						byID[span.TraceID()], order = one, append(order, one)
					}
					spans = scopeIn(one, rs, ss)
					into[span.TraceID()] = spans
				}
				span.MoveTo(spans.AppendEmpty())
			}
		}
	}
	return order
}

// scopeIn adds a copy of a resource and a scope, without spans.
func scopeIn(td ptrace.Traces, rs ptrace.ResourceSpans, ss ptrace.ScopeSpans) ptrace.SpanSlice {
	r := td.ResourceSpans().AppendEmpty()
	rs.Resource().CopyTo(r.Resource())
	r.SetSchemaUrl(rs.SchemaUrl())
	s := r.ScopeSpans().AppendEmpty()
	ss.Scope().CopyTo(s.Scope())
	s.SetSchemaUrl(ss.SchemaUrl())
	return s.Spans()
}

// Start gives the time at which the first span of td started; 0 without spans.
func Start(td ptrace.Traces) pcommon.Timestamp {
	var first pcommon.Timestamp
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				if t := span.StartTimestamp(); first == 0 || t < first {
					first = t
				}
			}
		}
	}
	return first
}
