package traceanalysis

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"pgregory.net/rapid"
)

// drawn is a span of a test, by small numbers.
type drawn struct {
	id, parent, start, end int
	service                string
	failed                 bool
}

func spanID(n int) (id pcommon.SpanID) {
	binary.BigEndian.PutUint64(id[:], uint64(n))
	return id
}

// trace puts spans under their services.
func trace(spans ...drawn) ptrace.Traces {
	td := ptrace.NewTraces()
	for _, d := range spans {
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", d.service)
		span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		span.SetTraceID(pcommon.TraceID{1})
		span.SetSpanID(spanID(d.id))
		span.SetParentSpanID(spanID(d.parent)) // 0 is none.
		span.SetName("op-" + d.service)
		span.SetStartTimestamp(pcommon.Timestamp(d.start))
		span.SetEndTimestamp(pcommon.Timestamp(d.end))
		if d.failed {
			span.Status().SetCode(ptrace.StatusCodeError)
		}
	}
	return td
}

// anySpans draws whatever may come: missing parents, rings, ids given twice, children that outlive parents, ends before starts.
func anySpans() *rapid.Generator[[]drawn] {
	span := rapid.Custom(func(t *rapid.T) drawn {
		return drawn{
			id: rapid.IntRange(1, 12).Draw(t, "id"), parent: rapid.IntRange(0, 14).Draw(t, "parent"),
			start: rapid.IntRange(1, 60).Draw(t, "start"), end: rapid.IntRange(1, 60).Draw(t, "end"),
			service: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "service"), failed: rapid.Bool().Draw(t, "failed"),
		}
	})
	return rapid.SliceOfN(span, 0, 14)
}

func TestAnyTrace(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		spans := anySpans().Draw(rt, "spans")
		a := Analyze(trace(spans...), 100)
		require.Len(rt, a.Slowest, len(spans))
		require.Equal(rt, len(spans), a.Spans)

		var reached, onPath time.Duration
		for i, s := range a.CriticalPath {
			require.Positive(rt, s.Duration)
			require.GreaterOrEqual(rt, s.Start, reached, "section %d begins before the one before ends", i)
			reached = s.Start + s.Duration
			onPath += s.Duration
			require.True(rt, within(a, s), "section %d is not within a span of its id", i)
		}
		require.LessOrEqual(rt, reached, a.Duration)

		var critical, self time.Duration
		failures := 0
		for _, s := range a.Slowest {
			require.GreaterOrEqual(rt, s.Self, time.Duration(0))
			require.LessOrEqual(rt, s.Self, s.Duration)
			require.LessOrEqual(rt, s.Critical, s.Duration)
			critical += s.Critical
			self += s.Self
		}
		require.Equal(rt, onPath, critical)
		for _, s := range a.Services {
			self -= s.Self
			failures += s.Errors
		}
		require.Zero(rt, self, "the services share what the spans took themselves")
		require.Len(rt, a.Errors, failures)
	})
}

func within(a Analysis, s Section) bool {
	for _, span := range a.Slowest {
		if span.ID == s.ID && s.Start >= span.Start && s.Start+s.Duration <= span.Start+span.Duration {
			return true
		}
	}
	return false
}

// soundSpans draws a tree with one root whose children lie within their parents.
func soundSpans() *rapid.Generator[[]drawn] {
	return rapid.Custom(func(t *rapid.T) []drawn {
		spans := []drawn{{id: 1, start: 1, end: rapid.IntRange(2, 100).Draw(t, "end"), service: "a"}}
		for id := range rapid.IntRange(0, 20).Draw(t, "children") {
			p := spans[rapid.IntRange(0, len(spans)-1).Draw(t, "parent")]
			start := rapid.IntRange(p.start, p.end).Draw(t, "start")
			spans = append(spans, drawn{
				id: id + 2, parent: p.id, start: start, end: rapid.IntRange(start, p.end).Draw(t, "end"),
				service: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "service"),
			})
		}
		return spans
	})
}

func TestTheCriticalPathOfASoundTraceIsAllOfIt(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		spans := soundSpans().Draw(rt, "spans")
		a := Analyze(trace(rapid.Permutation(spans).Draw(rt, "order")...), 100)
		require.Empty(rt, a.Warnings)
		reached := time.Duration(0)
		for _, s := range a.CriticalPath {
			require.Equal(rt, reached, s.Start)
			reached += s.Duration
		}
		require.Equal(rt, a.Duration, reached)
	})
}

// TestSelfTime counts, instant by instant.
func TestSelfTime(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		spans := soundSpans().Draw(rt, "spans")
		want := map[pcommon.SpanID]time.Duration{}
		for _, s := range spans {
			want[spanID(s.id)] = 0
			for at := s.start; at < s.end; at++ {
				alone := true
				for _, child := range spans {
					alone = alone && (child.parent != s.id || at < child.start || at >= child.end)
				}
				if alone {
					want[spanID(s.id)]++
				}
			}
		}
		got := map[pcommon.SpanID]time.Duration{}
		for _, s := range Analyze(trace(spans...), 100).Slowest {
			got[s.ID] = s.Self
		}
		require.Equal(rt, want, got)
	})
}

func TestComparisonsAreFair(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b := trace(anySpans().Draw(rt, "a")...), trace(anySpans().Draw(rt, "b")...)
		there, back := Compare(a, b), Compare(b, a)
		require.Len(rt, back.Operations, len(there.Operations))
		var sum time.Duration
		spans := 0
		for i := range there.Operations {
			sum += there.Operations[i].SelfMore() + back.Operations[i].SelfMore()
			spans += there.Operations[i].A.Spans
		}
		require.Zero(rt, sum)
		require.Equal(rt, a.SpanCount(), spans)
		require.Empty(rt, Compare(a, a).NewErrors)
	})
}
