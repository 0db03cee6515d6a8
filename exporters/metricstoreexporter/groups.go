package metricstoreexporter

import (
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// A histogram's or summary's data point is a group of samples: the sum, the count, and one for each bucket and
// le="+Inf", or for each quantile. Slices of samples, references and labels are all in this order.
const sumIndex, countIndex, firstPart = 0, 1, 2

// group is one data point as samples.
type group struct {
	values  []float64
	hasSum  bool
	stale   bool
	t       int64 // milliseconds
	created int64
}

// writesSum says whether the data point has a sample for its sum. The stale marker of a scraped histogram carries
// no sum, though its series has one to end.
func (g *group) writesSum(s *seriesGroup) bool {
	return g.hasSum || g.stale && s.refs[sumIndex] != 0
}

// histograms writes the data points of an explicit bucket histogram as classic histogram series.
func (b *batch) histograms(src source, metric identity, points pmetric.HistogramDataPointSlice) {
	if b.resolver(src).settings.ConvertHistogramsToNHCB {
		b.native(src, points.Len())
		return
	}
	for i := range points.Len() {
		p := points.At(i)
		id := b.hash.histogram(metric, p)
		s := b.res.groups[id]
		if s == nil || !b.knownGroup(src, s, b.histogramGroup(p)) {
			b.queue(src).addHistogram(src, id, p)
		} else {
			b.bucketExemplars(s.refs, nil, p)
		}
		if b.failure != nil {
			return
		}
	}
}

// summaries writes the data points of a summary.
func (b *batch) summaries(src source, metric identity, points pmetric.SummaryDataPointSlice) {
	for i := range points.Len() {
		p := points.At(i)
		id := b.hash.summary(metric, p)
		s := b.res.groups[id]
		if s == nil || !b.knownGroup(src, s, b.summaryGroup(p)) {
			b.queue(src).addSummary(src, id, p)
		}
		if b.failure != nil {
			return
		}
	}
}

// knownGroup writes a group by references. It says false where one of them is not known, or forgotten by the
// store; samples written before that are written again with labels, which changes nothing.
func (b *batch) knownGroup(src source, s *seriesGroup, g group) bool {
	if b.created && s.created != g.created {
		return false
	}
	var failure error
	for i, v := range g.values {
		if i == sumIndex && !g.writesSum(s) {
			continue
		}
		if s.refs[i] == 0 {
			return false
		}
		known, err := b.append(&s.refs[i], g.t, v)
		if !known {
			return false
		}
		if err != nil && failure == nil {
			failure = err
		}
	}
	s.used = b.tick
	b.settle(src.m.Name(), g.t, failure)
	return true
}

// newGroup writes a group whose labels were just built, and remembers its series.
func (b *batch) newGroup(src source, id identity, g group, ls []labels.Labels) *seriesGroup {
	s := b.res.groups[id]
	if s == nil {
		s = &seriesGroup{refs: make([]storage.SeriesRef, len(g.values))}
	}
	var failure error
	for i, v := range g.values {
		if i == sumIndex && !g.writesSum(s) {
			continue
		}
		if b.created && s.created != g.created {
			s.refs[i] = b.zeroSample(s.refs[i], ls[i], g.t, g.created)
		}
		ref, err := b.app.Append(s.refs[i], ls[i], g.t, v)
		if err == nil {
			s.refs[i] = ref
		} else if failure == nil {
			failure = err
		}
	}
	b.settle(src.m.Name(), g.t, failure)
	s.created, s.used = g.created, b.tick
	if b.res.groups[id] == nil && failure == nil && b.cache.reserve(len(s.refs)) {
		b.res.groups[id] = s
	}
	return s
}

// histogramGroup gives cumulative buckets. The values are valid until the next group.
func (b *batch) histogramGroup(p pmetric.HistogramDataPoint) group {
	buckets := min(p.ExplicitBounds().Len(), p.BucketCounts().Len())
	b.values = grow(b.values, firstPart+buckets+1)
	b.values[sumIndex], b.values[countIndex] = p.Sum(), float64(p.Count())
	var below uint64
	for i := range buckets {
		below += p.BucketCounts().At(i)
		b.values[firstPart+i] = float64(below)
	}
	b.values[firstPart+buckets] = float64(p.Count())
	return b.group(p.HasSum(), p.Flags().NoRecordedValue(), p.Timestamp(), p.StartTimestamp())
}

func (b *batch) summaryGroup(p pmetric.SummaryDataPoint) group {
	quantiles := p.QuantileValues()
	b.values = grow(b.values, firstPart+quantiles.Len())
	b.values[sumIndex], b.values[countIndex] = p.Sum(), float64(p.Count())
	for i := range quantiles.Len() {
		b.values[firstPart+i] = quantiles.At(i).Value()
	}
	return b.group(true, p.Flags().NoRecordedValue(), p.Timestamp(), p.StartTimestamp())
}

func (b *batch) group(hasSum, stale bool, t, created pcommon.Timestamp) group {
	if stale {
		for i := range b.values {
			b.values[i] = staleNaN
		}
	}
	return group{values: b.values, hasSum: hasSum, stale: stale, t: millis(t), created: millis(created)}
}
