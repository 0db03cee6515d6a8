package traceanalysis

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/quantivista/monitoring/internal/traces"
)

// maxGroups bounds how many kinds of errors are told apart.
const maxGroups = 1000

func failed(span ptrace.Span) bool { return span.Status().Code() == ptrace.StatusCodeError }

// failures gives the spans that failed, the deepest first: an error that is passed on begins at the bottom.
func (t *tree) failures(limit int, start int64) []Failure {
	var found []int
	for i := range t.nodes {
		if failed(t.nodes[i].span) {
			found = append(found, i)
		}
	}
	depth := t.depths()
	slices.SortStableFunc(found, func(a, b int) int {
		return cmp.Or(cmp.Compare(depth[b], depth[a]), cmp.Compare(t.nodes[a].start, t.nodes[b].start))
	})
	list := make([]Failure, min(len(found), limit))
	for i := range list {
		n := &t.nodes[found[i]]
		list[i] = Failure{ID: n.span.SpanID(), Operation: n.operation(), Start: time.Duration(n.start - start)}
		list[i].Type, list[i].Message = describe(n.span)
	}
	return list
}

func (t *tree) depths() []int {
	depth := make([]int, len(t.nodes))
	queue := slices.Clone(t.roots)
	for len(queue) > 0 {
		i := queue[0]
		queue = append(queue[1:], t.nodes[i].children...)
		for _, c := range t.nodes[i].children {
			depth[c] = depth[i] + 1
		}
	}
	return depth
}

// describe gives the type and the message of an error, by the semantic conventions.
func describe(span ptrace.Span) (kind, message string) {
	message = span.Status().Message()
	for _, event := range span.Events().All() {
		if event.Name() != "exception" {
			continue
		}
		if v, ok := event.Attributes().Get("exception.type"); ok {
			kind = v.AsString()
		}
		if v, ok := event.Attributes().Get("exception.message"); ok && message == "" {
			message = v.AsString()
		}
	}
	if v, ok := span.Attributes().Get("error.type"); ok && kind == "" {
		kind = v.AsString()
	}
	return kind, message
}

// ErrorKind is what errors that are alike have in common.
type ErrorKind struct {
	Operation

	Type string
	// Message has * for each word with a digit, such as a number, an id or an address.
	Message string
}

// ErrorGroup is spans that failed alike.
type ErrorGroup struct {
	ErrorKind

	Count int
	// Example is the first trace in which one was found.
	Example pcommon.TraceID
}

var wordWithDigit = regexp.MustCompile(`[^\s"'(),;=\[\]{}<>]*\d[^\s"'(),;=\[\]{}<>]*`)

// Errors groups the spans that failed, of one service or, where it is empty, of all; the most frequent first.
func Errors(service string, list ...ptrace.Traces) []ErrorGroup {
	groups := map[ErrorKind]ErrorGroup{}
	for _, td := range list {
		for _, rs := range td.ResourceSpans().All() {
			name := traces.ServiceName(rs.Resource())
			if service != "" && name != service {
				continue
			}
			for _, ss := range rs.ScopeSpans().All() {
				for _, span := range ss.Spans().All() {
					if failed(span) {
						count(groups, name, span)
					}
				}
			}
		}
	}
	return sorted(slices.Collect(maps.Values(groups)))
}

func count(groups map[ErrorKind]ErrorGroup, service string, span ptrace.Span) {
	kind, message := describe(span)
	key := ErrorKind{Operation{service, span.Name(), kindOf(span)}, kind, wordWithDigit.ReplaceAllString(message, "*")}
	group, known := groups[key]
	if !known && len(groups) >= maxGroups {
		return
	}
	if !known {
		group = ErrorGroup{ErrorKind: key, Example: span.TraceID()}
	}
	group.Count++
	groups[key] = group
}

// NewErrors gives the groups of after that before does not have.
func NewErrors(before, after []ErrorGroup) []ErrorGroup {
	known := map[ErrorKind]bool{}
	for i := range before {
		known[before[i].ErrorKind] = true
	}
	var found []ErrorGroup
	for i := range after {
		if !known[after[i].ErrorKind] {
			found = append(found, after[i])
		}
	}
	return sorted(found)
}

func sorted(groups []ErrorGroup) []ErrorGroup {
	slices.SortFunc(groups, func(a, b ErrorGroup) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Message, b.Message))
	})
	return groups
}
