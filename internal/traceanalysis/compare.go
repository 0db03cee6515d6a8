package traceanalysis

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Figures of the spans of one operation in one trace.
type Figures struct {
	Spans, Errors            int
	Duration, Self, Critical time.Duration
}

// Change is an operation in two traces; Figures without spans are those of the trace that lacks it.
type Change struct {
	Operation

	A, B Figures
}

// SelfMore is what b spent more than a.
func (c *Change) SelfMore() time.Duration { return c.B.Self - c.A.Self }

// Comparison of two traces.
type Comparison struct {
	A, B Analysis
	// Operations are sorted by SelfMore, the largest first.
	Operations []Change
	// NewErrors are those of B that A does not have.
	NewErrors []ErrorGroup
}

// Compare two traces.
func Compare(a, b ptrace.Traces) Comparison {
	changes := map[Operation]Change{}
	sum := func(td ptrace.Traces, of func(*Change) *Figures) {
		t := grow(td)
		t.criticalPath()
		for i := range t.nodes {
			n := &t.nodes[i]
			change := changes[n.operation()]
			change.Operation = n.operation()
			of(&change).add(n)
			changes[n.operation()] = change
		}
	}
	sum(a, func(c *Change) *Figures { return &c.A })
	sum(b, func(c *Change) *Figures { return &c.B })
	return Comparison{
		A: Analyze(a, 0), B: Analyze(b, 0),
		Operations: slices.SortedFunc(maps.Values(changes), func(x, y Change) int {
			return cmp.Or(cmp.Compare(y.SelfMore(), x.SelfMore()), cmp.Compare(x.Service, y.Service), cmp.Compare(x.Name, y.Name), cmp.Compare(x.Kind, y.Kind))
		}),
		NewErrors: NewErrors(Errors("", a), Errors("", b)),
	}
}

func (f *Figures) add(n *node) {
	f.Spans++
	if failed(n.span) {
		f.Errors++
	}
	f.Duration += time.Duration(n.duration())
	f.Self += time.Duration(n.self)
	f.Critical += time.Duration(n.critical)
}
