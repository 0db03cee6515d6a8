package lokiexporter

import (
	"sort"
	"strconv"
	"unicode/utf8"

	"github.com/grafana/loki/pkg/push"
)

// fitter cuts records to Loki's limits, which would refuse them as a whole, and counts what it cuts.
type fitter struct {
	limits LimitsConfig

	lines, metadatas int64 // records
}

// line cuts the text at a rune, and tells in the structured metadata how much is gone.
func (f *fitter) line(m *structured, text string) string {
	limit := f.limits.LineSize
	if limit <= 0 || len(text) <= limit {
		return text
	}
	f.lines++
	kept := cut(text, limit)
	m.add("truncated_bytes", strconv.Itoa(len(text)-len(kept)))
	return kept
}

// metadata drops the entries beyond the number, and then cuts the longest values until the size fits.
func (f *fitter) metadata(list []push.LabelAdapter) []push.LabelAdapter {
	size := metadataSize(list)
	many := f.limits.StructuredMetadataEntries > 0 && len(list) > f.limits.StructuredMetadataEntries
	big := f.limits.StructuredMetadataSize > 0 && size > f.limits.StructuredMetadataSize
	if !many && !big {
		return list
	}
	f.metadatas++
	if many {
		list = list[:f.limits.StructuredMetadataEntries]
	}
	if big {
		list = shrink(list, f.limits.StructuredMetadataSize)
	}
	return list
}

// shrink gives every value the same greatest length, as long as fits. Where not even the names fit, entries are dropped
// from the end.
func shrink(list []push.LabelAdapter, limit int) []push.LabelAdapter {
	sized := func(most int) int {
		n := 0
		for i := range list {
			n += len(list[i].Name) + min(len(list[i].Value), most)
		}
		return n
	}
	for len(list) > 0 && sized(0) > limit {
		list = list[:len(list)-1]
	}
	// The first length that is too long; all shorter ones fit.
	tooLong := sort.Search(limit+1, func(most int) bool { return sized(most) > limit })
	for i := range list {
		list[i].Value = cut(list[i].Value, tooLong-1)
	}
	return list
}

// metadataSize is what Loki measures.
func metadataSize(list []push.LabelAdapter) int {
	n := 0
	for i := range list {
		n += len(list[i].Name) + len(list[i].Value)
	}
	return n
}

// cut gives the first bytes of the text, at most n, and no part of a rune.
func cut(text string, n int) string {
	if n < 0 {
		n = 0
	}
	if len(text) <= n {
		return text
	}
	for back := 0; back < utf8.UTFMax && n-back > 0; back++ {
		if utf8.RuneStart(text[n-back]) {
			return text[:n-back]
		}
	}
	return text[:n] // not UTF-8
}
