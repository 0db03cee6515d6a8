package traceanalysis

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// step is a section by small numbers.
type step struct {
	id           int
	start, lasts time.Duration
}

func steps(a Analysis) []step {
	var list []step
	for _, s := range a.CriticalPath {
		list = append(list, step{int(s.ID[7]), s.Start, s.Duration})
	}
	return list
}

func TestCriticalPath(t *testing.T) {
	for name, tt := range map[string]struct {
		spans []drawn
		want  []step
	}{
		"one span": {[]drawn{{id: 1, start: 10, end: 20}}, []step{{1, 0, 10}}},
		"a child after the other": {
			[]drawn{{id: 1, start: 0, end: 100}, {id: 2, parent: 1, start: 10, end: 30}, {id: 3, parent: 1, start: 40, end: 90}},
			[]step{{1, 0, 10}, {2, 10, 20}, {1, 30, 10}, {3, 40, 50}, {1, 90, 10}},
		},
		"the parent waits for the last of those beside each other": {
			[]drawn{{id: 1, start: 0, end: 100}, {id: 2, parent: 1, start: 10, end: 50}, {id: 3, parent: 1, start: 10, end: 90}},
			[]step{{1, 0, 10}, {3, 10, 80}, {1, 90, 10}},
		},
		"those that overlap": {
			[]drawn{{id: 1, start: 0, end: 100}, {id: 2, parent: 1, start: 10, end: 50}, {id: 3, parent: 1, start: 40, end: 90}},
			[]step{{1, 0, 40}, {3, 40, 50}, {1, 90, 10}},
		},
		"a child that outlives its parent": {
			[]drawn{{id: 1, start: 0, end: 100}, {id: 2, parent: 1, start: 50, end: 170}},
			[]step{{1, 0, 50}, {2, 50, 50}},
		},
		"a child outside of its parent": {
			[]drawn{{id: 1, start: 0, end: 100}, {id: 2, parent: 1, start: 150, end: 170}},
			[]step{{1, 0, 100}},
		},
		"two roots with a gap": {
			[]drawn{{id: 1, start: 0, end: 40}, {id: 2, parent: 9, start: 60, end: 100}},
			[]step{{1, 0, 40}, {2, 60, 40}},
		},
		"none": {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.want, steps(Analyze(trace(tt.spans...), 10)))
		})
	}
}

func TestOddTraces(t *testing.T) {
	a := Analyze(trace(
		drawn{id: 1, start: 100, end: 200, service: "a"},
		drawn{id: 2, parent: 7, start: 100, end: 150, service: "a"}, // no such parent
		drawn{id: 3, parent: 4, start: 100, end: 150, service: "a"}, // a ring
		drawn{id: 4, parent: 3, start: 100, end: 150, service: "a"},
		drawn{id: 5, parent: 5, start: 100, end: 150, service: "a"}, // its own parent
		drawn{id: 6, parent: 1, start: 130, end: 120, service: "a"}, // backwards
		drawn{id: 1, start: 100, end: 110, service: "a"},            // given twice
		drawn{id: 8, parent: 1, start: 90, end: 190, service: "b"},  // another clock
	), 10)
	require.Len(t, a.Warnings, 5)
	for i, want := range []string{"1 spans have a parent that is not", "2 rings", "1 spans have the id of another", "1 spans end before", "1 spans of another service start before"} {
		assert.Contains(t, a.Warnings[i], want)
	}
	assert.Len(t, a.Roots, 5)
}

func TestTimesWithoutEnd(t *testing.T) {
	td := trace(drawn{id: 1, service: "a"})
	td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).SetEndTimestamp(math.MaxUint64)
	assert.Equal(t, time.Duration(math.MaxInt64), Analyze(td, 1).Duration)
}

func TestDeepTrace(t *testing.T) {
	var spans []drawn
	for i := range 20_000 {
		spans = append(spans, drawn{id: i + 1, parent: i, start: i, end: 50_000 - i, service: "a"})
	}
	a := Analyze(trace(spans...), 3)
	assert.Len(t, a.CriticalPath, maxSections)
	assert.Contains(t, a.Warnings[0], "more than 1000 sections")
	assert.Equal(t, []time.Duration{10_002, 2, 2}, []time.Duration{a.Slowest[0].Self, a.Slowest[1].Self, a.Slowest[2].Self})
}

// failing adds an exception to the span at index i.
func failing(td ptrace.Traces, i int, kind, message string) ptrace.Traces {
	span := td.ResourceSpans().At(i).ScopeSpans().At(0).Spans().At(0)
	span.Status().SetCode(ptrace.StatusCodeError)
	event := span.Events().AppendEmpty()
	event.SetName("exception")
	event.Attributes().PutStr("exception.type", kind)
	event.Attributes().PutStr("exception.message", message)
	return td
}

func TestErrorsBeginAtTheBottom(t *testing.T) {
	td := failing(trace(drawn{id: 1, start: 0, end: 100, service: "a", failed: true}, drawn{id: 2, parent: 1, start: 10, end: 90, service: "b"}), 1, "Timeout", "no answer")
	td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes().PutStr("error.type", "500")
	td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Status().SetMessage("b failed")
	a := Analyze(td, 10)
	require.Len(t, a.Errors, 2)
	assert.Equal(t, Failure{ID: spanID(2), Operation: Operation{"b", "op-b", "internal"}, Start: 10, Type: "Timeout", Message: "no answer"}, a.Errors[0])
	assert.Equal(t, Failure{ID: spanID(1), Operation: Operation{"a", "op-a", "internal"}, Type: "500", Message: "b failed"}, a.Errors[1])
	assert.Len(t, Analyze(td, 1).Errors, 1)
}

func TestErrorsAreGrouped(t *testing.T) {
	one := func(message string) ptrace.Traces {
		return failing(trace(drawn{id: 1, end: 10, service: "a"}), 0, "Timeout", message)
	}
	groups := Errors("", one("order 17 of 10.0.0.1:8080 timed out after 2.5s"), one("order 18 of 10.0.0.2:8080 timed out after 3s"), one("full"))
	require.Len(t, groups, 2)
	assert.Equal(t, "order * of * timed out after *", groups[0].Message)
	assert.Equal(t, 2, groups[0].Count)
	assert.Equal(t, pcommon.TraceID{1}, groups[0].Example)
	assert.Empty(t, Errors("other", one("full")))

	fresh := NewErrors(Errors("a", one("order 1 of b timed out after 1s")), groups)
	require.Len(t, fresh, 2, "of another message")
	assert.Equal(t, []ErrorGroup{groups[1]}, NewErrors(groups[:1], groups))
}

func TestCompare(t *testing.T) {
	a := trace(drawn{id: 1, start: 0, end: 100, service: "shop"}, drawn{id: 2, parent: 1, start: 10, end: 30, service: "stock"}, drawn{id: 3, parent: 1, start: 40, end: 50, service: "mail"})
	b := failing(trace(drawn{id: 1, start: 1000, end: 1300, service: "shop"}, drawn{id: 2, parent: 1, start: 1010, end: 1230, service: "stock"}), 1, "Slow", "")
	c := Compare(a, b)
	require.Len(t, c.Operations, 3)
	stock := c.Operations[0]
	assert.Equal(t, Operation{"stock", "op-stock", "internal"}, stock.Operation)
	assert.Equal(t, time.Duration(200), stock.SelfMore())
	assert.Equal(t, Figures{Spans: 1, Errors: 1, Duration: 220, Self: 220, Critical: 220}, stock.B)
	assert.Equal(t, Figures{}, c.Operations[2].B, "mail is gone")
	require.Len(t, c.NewErrors, 1)
	assert.Equal(t, "Slow", c.NewErrors[0].Type)
	assert.Equal(t, []time.Duration{100, 300}, []time.Duration{c.A.Duration, c.B.Duration})
}
