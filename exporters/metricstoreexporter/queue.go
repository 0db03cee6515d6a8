package metricstoreexporter

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/prometheus/prometheus/model/labels"
)

// queue holds the data points of one resource whose series are unknown, beside a copy of what names them. In the
// copy a point's time stamp is its place in the queue, in milliseconds: it comes back with the labels.
type queue struct {
	points []queued
	names  pmetric.Metrics
	scopes pmetric.ScopeMetricsSlice
	scope  pmetric.ScopeMetrics // copy of the scope at work
	metric pmetric.Metric       // copy of the metric at work
}

// queued is one data point; which field holds it follows from the metric's type.
type queued struct {
	src     source
	id      identity
	number  pmetric.NumberDataPoint
	hist    pmetric.HistogramDataPoint
	summary pmetric.SummaryDataPoint

	labels []labels.Labels
	err    error // why there are no labels
}

func (q *queue) empty() bool { return len(q.points) == 0 }
func (q *queue) len() int    { return len(q.points) }

func (q *queue) clear() {
	clear(q.points)
	*q = queue{points: q.points[:0]}
}

func (q *queue) addNumber(src source, id identity, p pmetric.NumberDataPoint) {
	m := q.copyOf(src)
	var c pmetric.NumberDataPoint
	if src.m.Type() == pmetric.MetricTypeSum {
		c = m.Sum().DataPoints().AppendEmpty()
	} else {
		c = m.Gauge().DataPoints().AppendEmpty()
	}
	p.Attributes().CopyTo(c.Attributes())
	c.SetTimestamp(q.ticket())
	q.points = append(q.points, queued{src: src, id: id, number: p})
}

func (q *queue) addHistogram(src source, id identity, p pmetric.HistogramDataPoint) {
	c := q.copyOf(src).Histogram().DataPoints().AppendEmpty()
	p.Attributes().CopyTo(c.Attributes())
	p.ExplicitBounds().CopyTo(c.ExplicitBounds())
	p.BucketCounts().CopyTo(c.BucketCounts())
	c.SetSum(0) // the sum's labels are always wanted
	c.SetTimestamp(q.ticket())
	q.points = append(q.points, queued{src: src, id: id, hist: p})
}

func (q *queue) addSummary(src source, id identity, p pmetric.SummaryDataPoint) {
	c := q.copyOf(src).Summary().DataPoints().AppendEmpty()
	p.Attributes().CopyTo(c.Attributes())
	p.QuantileValues().CopyTo(c.QuantileValues())
	c.SetTimestamp(q.ticket())
	q.points = append(q.points, queued{src: src, id: id, summary: p})
}

func (q *queue) ticket() pcommon.Timestamp {
	return pcommon.Timestamp(len(q.points)) * 1_000_000
}

// copyOf gives the copy of the source's metric, without its points.
func (q *queue) copyOf(src source) pmetric.Metric {
	if q.empty() {
		q.names = pmetric.NewMetrics()
		q.scopes = q.names.ResourceMetrics().AppendEmpty().ScopeMetrics()
		q.newScope(src)
		q.newMetric(src)
		return q.metric
	}
	last := q.points[len(q.points)-1].src
	if last.sm != src.sm {
		q.newScope(src)
		q.newMetric(src)
	} else if last.m != src.m {
		q.newMetric(src)
	}
	return q.metric
}

func (q *queue) newScope(src source) {
	q.scope = q.scopes.AppendEmpty()
	copyScope(src, q.scope)
}

func (q *queue) newMetric(src source) {
	q.metric = q.scope.Metrics().AppendEmpty()
	copyMetricHeader(src.m, q.metric)
}

// copyScope copies what names a scope.
func copyScope(src source, to pmetric.ScopeMetrics) {
	if src.scraped && src.sm.Scope().Name() == scrapeScope {
		return // the receiver's own scope, which the scraped target knows nothing of
	}
	src.sm.Scope().CopyTo(to.Scope())
	to.SetSchemaUrl(src.sm.SchemaUrl())
}

// copyMetricHeader copies all of a metric but its points.
func copyMetricHeader(from, to pmetric.Metric) {
	to.SetName(from.Name())
	to.SetUnit(from.Unit())
	to.SetDescription(from.Description())
	from.Metadata().CopyTo(to.Metadata())
	switch from.Type() {
	case pmetric.MetricTypeGauge:
		to.SetEmptyGauge()
	case pmetric.MetricTypeSum:
		s := to.SetEmptySum()
		s.SetIsMonotonic(from.Sum().IsMonotonic())
		s.SetAggregationTemporality(from.Sum().AggregationTemporality())
	case pmetric.MetricTypeHistogram:
		to.SetEmptyHistogram().SetAggregationTemporality(from.Histogram().AggregationTemporality())
	case pmetric.MetricTypeSummary:
		to.SetEmptySummary()
	case pmetric.MetricTypeExponentialHistogram, pmetric.MetricTypeEmpty:
	}
}

// write appends the queued points, now that their labels are known.
func (q *queue) write(b *batch) {
	for i := range q.points {
		p := &q.points[i]
		if p.err != nil {
			b.refuse(p.src.m.Name(), 1, p.err)
			continue
		}
		switch p.src.m.Type() {
		case pmetric.MetricTypeHistogram:
			s := b.newGroup(p.src, p.id, b.histogramGroup(p.hist), p.labels)
			b.bucketExemplars(s.refs, p.labels, p.hist)
		case pmetric.MetricTypeSummary:
			b.newGroup(p.src, p.id, b.summaryGroup(p.summary), p.labels)
		default:
			b.newNumber(p.src, p.id, p.number, p.labels[0])
		}
		if b.failure != nil {
			return
		}
	}
}
