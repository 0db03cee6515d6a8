package traceanalysis

import (
	"cmp"
	"slices"
)

// section is a time that a span spent on the critical path.
type section struct {
	node     int
	from, to int64
}

// criticalPath gives the sections from start to end of the trace; they do not overlap. Several roots are the children
// of a span that is not in the trace, whose own time is no section.
func (t *tree) criticalPath() []section {
	if len(t.roots) == 0 {
		return nil
	}
	path := backwards{tree: t}
	end := t.nodes[t.roots[0]].to
	for _, r := range t.roots {
		end = max(end, t.nodes[r].to)
	}
	path.waitedFor(t.roots, t.nodes[t.roots[0]].from, end, func(int64, int64) {})
	slices.Reverse(path.sections)
	for _, s := range path.sections {
		t.nodes[s.node].critical += s.to - s.from
	}
	return path.sections
}

// backwards walks from the end of the trace to its start.
type backwards struct {
	*tree
	sections []section
}

// frame is a span that is walked: at is the time that is reached, next the children that ended before it.
type frame struct {
	own      func(from, to int64)
	children []int
	start    int64
	at       int64
}

// waitedFor walks the time from start to end of a span with these children; what none of them explains is its own. It
// keeps a stack of its own: traces of a thousand levels and more exist.
func (b *backwards) waitedFor(children []int, start, end int64, own func(from, to int64)) {
	stack := []frame{b.frame(children, start, end, own)}
	for len(stack) > 0 {
		f := &stack[len(stack)-1]
		if len(f.children) == 0 {
			f.own(f.start, f.at)
			stack = stack[:len(stack)-1]
			continue
		}
		i := f.children[0]
		f.children = f.children[1:]
		child := &b.nodes[i]
		// Later ones ran beside the child that is waited for; instants and what lies outside explain nothing.
		if child.to > f.at || child.from >= child.to || child.from < f.start {
			continue
		}
		f.own(child.to, f.at)
		f.at = child.from
		stack = append(stack, b.frame(child.children, child.from, child.to, func(from, to int64) {
			if from < to {
				b.sections = append(b.sections, section{i, from, to})
			}
		}))
	}
}

// frame has the children that ended last first.
func (b *backwards) frame(children []int, start, end int64, own func(from, to int64)) frame {
	sorted := slices.Clone(children)
	slices.SortStableFunc(sorted, func(x, y int) int {
		return cmp.Or(cmp.Compare(b.nodes[y].to, b.nodes[x].to), cmp.Compare(b.nodes[x].from, b.nodes[y].from))
	})
	return frame{own: own, children: sorted, start: start, at: end}
}
