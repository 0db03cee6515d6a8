package metricstoreexporter

import (
	"encoding/hex"
	"sort"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// exemplarBuffer converts exemplars, as Prometheus' OTLP endpoint does: trace_id and span_id, and the filtered
// attributes where all together stay below the limit that OpenMetrics sets.
type exemplarBuffer struct {
	list    []exemplar.Exemplar
	builder labels.ScratchBuilder
}

// convert gives exemplars that are valid until the next call.
func (e *exemplarBuffer) convert(in pmetric.ExemplarSlice) []exemplar.Exemplar {
	e.list = e.list[:0]
	for i := range in.Len() {
		x := in.At(i)
		t := millis(x.Timestamp())
		out := exemplar.Exemplar{Ts: t, HasTs: t != 0, Labels: e.labels(x)}
		if x.ValueType() == pmetric.ExemplarValueTypeInt {
			out.Value = float64(x.IntValue())
		} else {
			out.Value = x.DoubleValue()
		}
		e.list = append(e.list, out)
	}
	return e.list
}

func (e *exemplarBuffer) labels(x pmetric.Exemplar) labels.Labels {
	e.builder.Reset()
	runes := 0
	add := func(k, v string) {
		runes += utf8.RuneCountInString(k) + utf8.RuneCountInString(v)
		e.builder.Add(k, v)
	}
	if id := x.TraceID(); !id.IsEmpty() {
		add("trace_id", hex.EncodeToString(id[:]))
	}
	if id := x.SpanID(); !id.IsEmpty() {
		add("span_id", hex.EncodeToString(id[:]))
	}
	for k, v := range x.FilteredAttributes().All() {
		runes += utf8.RuneCountInString(k) + utf8.RuneCountInString(v.AsString())
	}
	if runes <= exemplar.ExemplarMaxLabelSetLength {
		for k, v := range x.FilteredAttributes().All() {
			e.builder.Add(k, v.AsString())
		}
	}
	e.builder.Sort()
	return e.builder.Labels()
}

// writeExemplars stores exemplars of one series. One that is late or too long is counted and loses nothing else.
func (b *batch) writeExemplars(ref storage.SeriesRef, l labels.Labels, exemplars []exemplar.Exemplar) {
	for _, x := range exemplars {
		if _, err := b.app.AppendExemplar(ref, l, x); err != nil {
			b.refusedExemplars++
		}
	}
}

// bucketExemplars stores each exemplar with the lowest bucket that counts it. Labels are nil where references do.
func (b *batch) bucketExemplars(refs []storage.SeriesRef, ls []labels.Labels, p pmetric.HistogramDataPoint) {
	if p.Exemplars().Len() == 0 {
		return
	}
	bounds := p.ExplicitBounds()
	buckets := min(bounds.Len(), p.BucketCounts().Len())
	converted := b.exemplars.convert(p.Exemplars())
	for i, x := range converted {
		bucket := firstPart + sort.Search(buckets, func(i int) bool { return x.Value <= bounds.At(i) })
		if refs[bucket] == 0 {
			continue // the bucket itself was refused
		}
		l := labels.EmptyLabels()
		if ls != nil {
			l = ls[bucket]
		}
		b.writeExemplars(refs[bucket], l, converted[i:i+1])
	}
}
