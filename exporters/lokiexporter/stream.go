package lokiexporter

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/grafana/loki/pkg/push"
)

// position is where a line comes from in the batch.
type position struct {
	resource, scope, record int
}

func (p position) compare(other position) int {
	return cmp.Or(cmp.Compare(p.resource, other.resource), cmp.Compare(p.scope, other.scope), cmp.Compare(p.record, other.record))
}

// line is an entry of a stream, and its size in a push.
type line struct {
	entry  push.Entry
	from   position
	weight int
}

// stream has the lines of one set of labels.
type stream struct {
	tenant string
	labels string
	lines  []line
}

// sortLines sorts by time. Lines of the same time keep their order.
func (s *stream) sortLines() {
	byTime := func(a, b line) int { return a.entry.Timestamp.Compare(b.entry.Timestamp) }
	if !slices.IsSortedFunc(s.lines, byTime) {
		slices.SortStableFunc(s.lines, byTime)
	}
}

// sortStreams sorts by tenant and labels, and the lines of each by time.
func sortStreams(streams []*stream) {
	for _, s := range streams {
		s.sortLines()
	}
	slices.SortFunc(streams, func(a, b *stream) int {
		return cmp.Or(strings.Compare(a.tenant, b.tenant), strings.Compare(a.labels, b.labels))
	})
}

// formatLabels writes the labels as Loki does, sorted by name.
func formatLabels(labels []push.LabelAdapter) string {
	slices.SortFunc(labels, func(a, b push.LabelAdapter) int { return strings.Compare(a.Name, b.Name) })
	var b strings.Builder
	b.WriteByte('{')
	for i, l := range labels {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(l.Name)
		b.WriteByte('=')
		b.WriteString(strconv.Quote(l.Value))
	}
	b.WriteByte('}')
	return b.String()
}

// valid replaces what is not UTF-8, and the rune that stands for it: Loki refuses a whole push for either in a label.
func valid(value string) string {
	if utf8.ValidString(value) && !strings.ContainsRune(value, utf8.RuneError) {
		return value
	}
	return strings.ReplaceAll(strings.ToValidUTF8(value, "?"), string(utf8.RuneError), "?")
}
