package traceanalysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/quantivista/monitoring/internal/traces"
)

// none is the parent of roots.
const none = -1

// node is a span in its tree. Times are nanoseconds since 1970.
type node struct {
	span       ptrace.Span
	service    string
	start, end int64
	parent     int
	children   []int
	// from and to are what of the span lies within its parent and their parents, for the critical path; from > to is
	// nothing of it.
	from, to int64
	self     int64
	critical int64
}

func (n *node) duration() int64 { return n.end - n.start }

func (n *node) operation() Operation {
	return Operation{Service: n.service, Name: n.span.Name(), Kind: kindOf(n.span)}
}

// tree is a trace whose parents are sound: every span is below exactly one root.
type tree struct {
	nodes []node
	roots []int
	oddities
}

// oddities count what is not as it should be.
type oddities struct {
	orphans, rings, backwards, duplicates, outside int
}

func (o oddities) warnings() []string {
	list := []string{}
	for _, each := range []struct {
		n    int
		text string
	}{
		{o.orphans, "%d spans have a parent that is not in the trace: they are taken for roots"},
		{o.rings, "%d rings of parents are broken: a span of each is taken for a root"},
		{o.duplicates, "%d spans have the id of another: children belong to the first"},
		{o.backwards, "%d spans end before they start: they are taken for instants"},
		{o.outside, "%d spans of another service start before their parent or end after it: they outlive it, or the clocks of the services differ; the critical path has what lies within"},
	} {
		if each.n > 0 {
			list = append(list, fmt.Sprintf(each.text, each.n))
		}
	}
	return list
}

// grow reads a trace. Where td has several they are one forest.
func grow(td ptrace.Traces) *tree {
	t := &tree{}
	byID := map[pcommon.SpanID]int{}
	for _, rs := range td.ResourceSpans().All() {
		name := traces.ServiceName(rs.Resource())
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				t.add(span, name, byID)
			}
		}
	}
	for i := range t.nodes {
		t.nodes[i].parent = t.parentOf(i, byID)
	}
	t.breakRings()
	for i := range t.nodes {
		if p := t.nodes[i].parent; p != none {
			t.nodes[p].children = append(t.nodes[p].children, i)
		} else {
			t.roots = append(t.roots, i)
		}
	}
	slices.SortStableFunc(t.roots, func(a, b int) int { return cmp.Compare(t.nodes[a].start, t.nodes[b].start) })
	t.measure()
	return t
}

func (t *tree) add(span ptrace.Span, service string, byID map[pcommon.SpanID]int) {
	n := node{span: span, service: service, start: nanoseconds(span.StartTimestamp()), end: nanoseconds(span.EndTimestamp())}
	if n.end < n.start {
		n.end = n.start
		t.backwards++
	}
	if _, known := byID[span.SpanID()]; known {
		t.duplicates++
	} else {
		byID[span.SpanID()] = len(t.nodes)
	}
	t.nodes = append(t.nodes, n)
}

// nanoseconds ends with the year 2262, as time.Duration does.
func nanoseconds(t pcommon.Timestamp) int64 { return int64(min(t, math.MaxInt64)) }

func (t *tree) parentOf(i int, byID map[pcommon.SpanID]int) int {
	id := t.nodes[i].span.ParentSpanID()
	if id.IsEmpty() {
		return none
	}
	parent, ok := byID[id]
	if !ok {
		t.orphans++
		return none
	}
	return parent
}

// breakRings makes a root of one span of every ring of parents.
func (t *tree) breakRings() {
	const (
		unknown = iota
		under   // the way up from the span that is looked at
		sound
	)
	state := make([]int, len(t.nodes))
	for i := range t.nodes {
		var way []int
		at := i
		for at != none && state[at] == unknown {
			state[at] = under
			way = append(way, at)
			at = t.nodes[at].parent
		}
		if at != none && state[at] == under {
			t.nodes[at].parent = none
			t.rings++
		}
		for _, j := range way {
			state[j] = sound
		}
	}
}

// measure fills in self, from and to, parents before children.
func (t *tree) measure() {
	queue := slices.Clone(t.roots)
	for _, r := range t.roots {
		t.nodes[r].from, t.nodes[r].to = t.nodes[r].start, t.nodes[r].end
	}
	for len(queue) > 0 {
		p := &t.nodes[queue[0]]
		queue = append(queue[1:], p.children...)
		for _, c := range p.children {
			n := &t.nodes[c]
			n.from, n.to = max(n.start, p.from), min(n.end, p.to)
			if n.service != p.service && (n.start < p.start || n.end > p.end) {
				t.outside++
			}
		}
		p.self = t.selfTime(p)
	}
}

// selfTime is the time of a span in which no child ran.
func (t *tree) selfTime(p *node) int64 {
	slices.SortStableFunc(p.children, func(a, b int) int { return cmp.Compare(t.nodes[a].start, t.nodes[b].start) })
	self, covered := p.duration(), p.start
	for _, c := range p.children {
		from, to := max(t.nodes[c].start, covered), min(t.nodes[c].end, p.end)
		if to > from {
			self -= to - from
			covered = to
		}
	}
	return self
}

func kindOf(span ptrace.Span) string {
	switch span.Kind() {
	case ptrace.SpanKindServer:
		return "server"
	case ptrace.SpanKindClient:
		return "client"
	case ptrace.SpanKindProducer:
		return "producer"
	case ptrace.SpanKindConsumer:
		return "consumer"
	default:
		return "internal"
	}
}
