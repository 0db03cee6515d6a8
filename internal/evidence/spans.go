package evidence

import (
	"cmp"
	"encoding/json"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// keep writes so many spans as OTLP's JSON, and fewer where that is longer than bytes: failed ones with what called them,
// then those that took longest. It shortens long texts in them.
func keep(all []placedSpan, spans, bytes int) (otlp json.RawMessage, kept int) {
	chosen := choose(all)
	for n := min(spans, len(chosen)); n > 0; n /= 2 {
		data, err := new(ptrace.JSONMarshaler).MarshalTraces(together(chosen[:n]))
		if err == nil && len(data) <= bytes {
			return data, n
		}
	}
	return nil, 0
}

// choose orders spans by what they tell: failed spans and their ancestors, then all others, the longest first.
func choose(all []placedSpan) []placedSpan {
	byID := make(map[pcommon.SpanID]int, len(all))
	for i := range all {
		byID[all[i].span.SpanID()] = i
	}
	telling := make([]bool, len(all))
	mark := func(i int) {
		for !telling[i] {
			telling[i] = true
			parent, is := byID[all[i].span.ParentSpanID()]
			if !is {
				return
			}
			i = parent
		}
	}
	root := slices.IndexFunc(all, func(s placedSpan) bool { return s.depth == 0 })
	if root >= 0 {
		mark(root)
	}
	for i := range all {
		if all[i].failed() {
			mark(i)
		}
	}
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	length := func(i int) int64 {
		return int64(all[i].span.EndTimestamp()) - int64(all[i].span.StartTimestamp())
	}
	slices.SortStableFunc(order, func(x, y int) int {
		switch {
		case telling[x] && !telling[y]:
			return -1
		case telling[y] && !telling[x]:
			return 1
		}
		return cmp.Or(cmp.Compare(length(y), length(x)), cmp.Compare(all[x].depth, all[y].depth))
	})
	chosen := make([]placedSpan, len(all))
	for place, i := range order {
		chosen[place] = all[i]
	}
	return chosen
}

// together makes traces of copies of spans, with their resources and scopes.
func together(spans []placedSpan) ptrace.Traces {
	td := ptrace.NewTraces()
	resources, scopes := map[ptrace.ResourceSpans]ptrace.ResourceSpans{}, map[ptrace.ScopeSpans]ptrace.ScopeSpans{}
	for _, s := range spans {
		rs, is := resources[s.rs]
		if !is {
			rs = td.ResourceSpans().AppendEmpty()
			s.rs.Resource().CopyTo(rs.Resource())
			clipValues(rs.Resource().Attributes())
			rs.SetSchemaUrl(s.rs.SchemaUrl())
			resources[s.rs] = rs
		}
		ss, is := scopes[s.ss]
		if !is {
			ss = rs.ScopeSpans().AppendEmpty()
			s.ss.Scope().CopyTo(ss.Scope())
			ss.SetSchemaUrl(s.ss.SchemaUrl())
			scopes[s.ss] = ss
		}
		span := ss.Spans().AppendEmpty()
		s.span.CopyTo(span)
		clipValues(span.Attributes())
		span.Status().SetMessage(clip(span.Status().Message()))
		for _, event := range span.Events().All() {
			clipValues(event.Attributes())
		}
	}
	return td
}

// clipValues shortens long texts.
func clipValues(attributes pcommon.Map) {
	for _, value := range attributes.All() {
		if value.Type() == pcommon.ValueTypeStr && len(value.Str()) > maxText {
			value.SetStr(clip(value.Str()))
		}
	}
}
