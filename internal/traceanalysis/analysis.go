package traceanalysis

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/quantivista/monitoring/internal/traces"
)

const (
	// maxSections of the critical path are told, the longest.
	maxSections = 1000
	// maxRoots are told.
	maxRoots = 10
)

// Operation is what spans of the same work have in common.
type Operation struct {
	Service, Name string
	// Kind is server, client, producer, consumer or internal.
	Kind string
}

// Span is what of a span matters here.
type Span struct {
	ID pcommon.SpanID
	Operation
	// Start is after the start of the trace.
	Start time.Duration
	// Duration is Self and the time in which a child ran.
	Duration, Self time.Duration
	// Critical is the time on the critical path.
	Critical time.Duration
}

// Section is a time that a span spent on the critical path.
type Section struct {
	ID pcommon.SpanID
	Operation
	Start, Duration time.Duration
}

// Failure is a span that failed.
type Failure struct {
	ID pcommon.SpanID
	Operation
	Start time.Duration
	// Type is the exception's, or error.type; empty where neither is told.
	Type string
	// Message is the status', or else the exception's.
	Message string
}

// Share is what a service had of the trace.
type Share struct {
	Service       string
	Spans, Errors int
	Self          time.Duration
}

// Analysis of one trace.
type Analysis struct {
	ID       pcommon.TraceID
	Start    time.Time
	Duration time.Duration
	Spans    int
	// Services are sorted by Self, the largest first.
	Services []Share
	// Roots are sorted by Start.
	Roots []Span
	// CriticalPath is sorted by Start; sections do not overlap.
	CriticalPath []Section
	// Slowest are sorted by Self, the largest first.
	Slowest []Span
	// Errors are sorted by depth, the deepest first, and then by Start.
	Errors []Failure
	// Warnings are for people.
	Warnings []string
}

// Analyze a trace; limit bounds Slowest and Errors.
func Analyze(td ptrace.Traces, limit int) Analysis {
	t := grow(td)
	path := t.criticalPath()
	start, end := t.bounds()
	a := Analysis{
		ID: traces.ID(td), Start: time.Unix(0, start).UTC(), Duration: time.Duration(end - start), Spans: len(t.nodes),
		Services: t.shares(), Warnings: t.warnings(),
	}
	for _, r := range t.roots[:min(len(t.roots), maxRoots)] {
		a.Roots = append(a.Roots, t.span(r, start))
	}
	if len(path) > maxSections {
		a.Warnings = append(a.Warnings, "the critical path has more than 1000 sections: the longest are told")
		slices.SortStableFunc(path, func(x, y section) int { return cmp.Compare(y.to-y.from, x.to-x.from) })
		path = path[:maxSections]
		slices.SortStableFunc(path, func(x, y section) int { return cmp.Compare(x.from, y.from) })
	}
	for _, s := range path {
		n := &t.nodes[s.node]
		a.CriticalPath = append(a.CriticalPath, Section{n.span.SpanID(), n.operation(), time.Duration(s.from - start), time.Duration(s.to - s.from)})
	}
	for _, i := range t.slowest(limit) {
		a.Slowest = append(a.Slowest, t.span(i, start))
	}
	a.Errors = t.failures(limit, start)
	return a
}

// bounds gives the start of the first span and the end of the last.
func (t *tree) bounds() (start, end int64) {
	for i := range t.nodes {
		n := &t.nodes[i]
		if i == 0 || n.start < start {
			start = n.start
		}
		end = max(end, n.end)
	}
	return start, end
}

func (t *tree) span(i int, start int64) Span {
	n := &t.nodes[i]
	return Span{
		ID: n.span.SpanID(), Operation: n.operation(), Start: time.Duration(n.start - start),
		Duration: time.Duration(n.duration()), Self: time.Duration(n.self), Critical: time.Duration(n.critical),
	}
}

func (t *tree) shares() []Share {
	byName := map[string]Share{}
	for i := range t.nodes {
		n := &t.nodes[i]
		s := byName[n.service]
		s.Service = n.service
		s.Spans++
		s.Self += time.Duration(n.self)
		if failed(n.span) {
			s.Errors++
		}
		byName[n.service] = s
	}
	return slices.SortedFunc(maps.Values(byName), func(a, b Share) int {
		return cmp.Or(cmp.Compare(b.Self, a.Self), cmp.Compare(a.Service, b.Service))
	})
}

func (t *tree) slowest(limit int) []int {
	all := make([]int, len(t.nodes))
	for i := range all {
		all[i] = i
	}
	slices.SortStableFunc(all, func(a, b int) int {
		return cmp.Or(cmp.Compare(t.nodes[b].self, t.nodes[a].self), cmp.Compare(t.nodes[a].start, t.nodes[b].start))
	})
	return all[:min(len(all), limit)]
}
