package metricstoreexporter

import (
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// numbers writes the data points of a gauge or a sum. This is the hot path: a known series costs a hash, a look-up
// and an append, and no allocation.
func (b *batch) numbers(src source, metric identity, points pmetric.NumberDataPointSlice) {
	withExemplars := src.m.Type() == pmetric.MetricTypeSum
	for i := range points.Len() {
		p := points.At(i)
		id := b.hash.number(metric, p.Attributes())
		s := b.res.number(id, b.last)
		if b.last = s; s == nil || b.created && s.created != millis(p.StartTimestamp()) || !b.known(src, s, p, withExemplars) {
			b.queue(src).addNumber(src, id, p)
		}
		if b.failure != nil {
			return
		}
	}
}

// known writes a data point by its series' reference. It says false where the store has forgotten the series.
func (b *batch) known(src source, s *numberSeries, p pmetric.NumberDataPoint, withExemplars bool) bool {
	t := millis(p.Timestamp())
	known, err := b.append(&s.ref, t, numberValue(p))
	if !known {
		return false
	}
	s.used = b.tick
	b.settle(src.m.Name(), t, err)
	if withExemplars && err == nil && p.Exemplars().Len() > 0 {
		b.writeExemplars(s.ref, labels.EmptyLabels(), b.exemplars.convert(p.Exemplars()))
	}
	return true
}

// newNumber writes a data point whose labels were just built, and remembers its series.
func (b *batch) newNumber(src source, id identity, p pmetric.NumberDataPoint, l labels.Labels) {
	t, start := millis(p.Timestamp()), millis(p.StartTimestamp())
	s := b.res.numbers[id]
	var ref storage.SeriesRef
	if s != nil {
		ref = s.ref
	}
	if b.created && (s == nil || s.created != start) {
		ref = b.zeroSample(ref, l, t, start)
	}
	ref, err := b.app.Append(ref, l, t, numberValue(p))
	b.settle(src.m.Name(), t, err)
	if err != nil {
		return
	}
	switch {
	case s != nil:
		s.ref, s.created, s.used = ref, start, b.tick
	case b.cache.reserve(1):
		b.res.numbers[id] = &numberSeries{id: id, ref: ref, created: start, used: b.tick}
	}
	if src.m.Type() == pmetric.MetricTypeSum && p.Exemplars().Len() > 0 {
		b.writeExemplars(ref, l, b.exemplars.convert(p.Exemplars()))
	}
}

// zeroSample marks the start of a cumulative series. That it is late, or there already, is the common case.
func (b *batch) zeroSample(ref storage.SeriesRef, l labels.Labels, t, start int64) storage.SeriesRef {
	if start == 0 || start >= t {
		return ref
	}
	if newRef, err := b.app.AppendSTZeroSample(ref, l, t, start); err == nil {
		return newRef
	}
	return ref
}

func numberValue(p pmetric.NumberDataPoint) float64 {
	switch {
	case p.Flags().NoRecordedValue():
		return staleNaN
	case p.ValueType() == pmetric.NumberDataPointValueTypeInt:
		return float64(p.IntValue())
	default:
		return p.DoubleValue()
	}
}
