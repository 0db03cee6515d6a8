package metricstoreexporter

import (
	"errors"
	"math"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// batch writes one pmetric.Metrics. Data points of known series are appended as they are met; those of unknown
// ones wait until their resource is through, so that Prometheus' converter names them all in one go.
type batch struct {
	app               storage.Appender
	cache             *seriesCache
	hash              identifier
	created           bool // write zero samples at start times
	disableTargetInfo bool

	otlp    *resolver // names metrics that came by OTLP
	scraped *resolver // names metrics that were scraped

	// Of the resource at work.
	res    *resourceSeries
	last   *numberSeries // of the data point before
	tick   uint32
	span   timeSpan
	queues [2]queue // unknown series, of OTLP and of scraped metrics

	accepted, misses, refusedExemplars int
	refused                            refusals
	failure                            error // the store failed: nothing of the batch is to be kept
	exemplars                          exemplarBuffer
	values                             []float64 // of the data point at work
}

// timeSpan is the range of the accepted time stamps of a resource.
type timeSpan struct{ first, last int64 }

func (s *timeSpan) add(t int64) {
	s.first, s.last = min(s.first, t), max(s.last, t)
}

func (s *timeSpan) empty() bool { return s.first > s.last }

func (e *storeExporter) newBatch(app storage.Appender) *batch {
	b, _ := e.batches.Get().(*batch)
	if b == nil {
		b = &batch{
			cache:             e.cache,
			hash:              identifier{seeds: e.cache.seeds},
			created:           e.cfg.CreatedTimestampZeroIngestion,
			disableTargetInfo: e.cfg.DisableTargetInfo,
			otlp:              newResolver(e.cfg, e.store),
			scraped:           newScrapedResolver(e.store),
		}
	}
	b.app = app
	b.tick = b.cache.clock.Load()
	return b
}

// release clears what the batch holds of its request and keeps its buffers.
func (e *storeExporter) release(b *batch) {
	b.app, b.res, b.last, b.failure = nil, nil, nil, nil
	b.accepted, b.misses, b.refusedExemplars = 0, 0, 0
	b.refused = refusals{}
	for i := range b.queues {
		b.queues[i].clear()
	}
	e.batches.Put(b)
}

// resource writes all metrics of one resource, and its target_info.
func (b *batch) resource(rm pmetric.ResourceMetrics) {
	id := b.hash.resource(rm.Resource())
	b.res = b.cache.lock(id)
	defer b.res.mu.Unlock()
	b.last = nil
	b.span = timeSpan{math.MaxInt64, math.MinInt64}
	onlyScraped := true

	scopes := rm.ScopeMetrics()
	for i := range scopes.Len() {
		sm := scopes.At(i)
		scope := b.hash.scope(id, sm)
		metrics := sm.Metrics()
		for j := range metrics.Len() {
			m := metrics.At(j)
			scraped := isScraped(m)
			onlyScraped = onlyScraped && scraped
			b.metric(source{rm: rm, sm: sm, m: m, scraped: scraped}, b.hash.metric(scope, m, scraped))
			if b.failure != nil {
				return
			}
		}
	}
	b.flush(rm)
	if b.failure == nil && !b.span.empty() {
		b.targetInfo(rm.Resource(), onlyScraped)
	}
}

// source is where a data point comes from.
type source struct {
	rm      pmetric.ResourceMetrics
	sm      pmetric.ScopeMetrics
	m       pmetric.Metric
	scraped bool
}

func (b *batch) metric(src source, id identity) {
	switch m := src.m; m.Type() {
	case pmetric.MetricTypeGauge:
		b.numbers(src, id, m.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		if b.cumulative(m, m.Sum().AggregationTemporality(), m.Sum().DataPoints().Len()) {
			b.numbers(src, id, m.Sum().DataPoints())
		}
	case pmetric.MetricTypeHistogram:
		if b.cumulative(m, m.Histogram().AggregationTemporality(), m.Histogram().DataPoints().Len()) {
			b.histograms(src, id, m.Histogram().DataPoints())
		}
	case pmetric.MetricTypeExponentialHistogram:
		if b.cumulative(m, m.ExponentialHistogram().AggregationTemporality(), m.ExponentialHistogram().DataPoints().Len()) {
			b.native(src, m.ExponentialHistogram().DataPoints().Len())
		}
	case pmetric.MetricTypeSummary:
		b.summaries(src, id, m.Summary().DataPoints())
	case pmetric.MetricTypeEmpty:
	}
}

func (b *batch) cumulative(m pmetric.Metric, t pmetric.AggregationTemporality, points int) bool {
	if t == pmetric.AggregationTemporalityCumulative {
		return true
	}
	if t == pmetric.AggregationTemporalityDelta {
		b.refused.add(deltaTemporality, points, m.Name(), errDelta)
	} else {
		b.refused.add(invalid, points, m.Name(), errors.New("the aggregation temporality is not set: it must be cumulative"))
	}
	return false
}

// flush names the series that were unknown and writes their data points.
func (b *batch) flush(rm pmetric.ResourceMetrics) {
	for i, r := range [2]*resolver{b.otlp, b.scraped} {
		q := &b.queues[i]
		if q.empty() || b.failure != nil {
			continue
		}
		b.misses += q.len()
		q.resolve(r, rm.Resource())
		q.write(b)
		q.clear()
	}
}

func (b *batch) queue(src source) *queue {
	if src.scraped {
		return &b.queues[1]
	}
	return &b.queues[0]
}

// append writes a sample by a known reference. It says false where the store has forgotten the series.
func (b *batch) append(ref *storage.SeriesRef, t int64, v float64) (known bool, err error) {
	_, err = b.app.Append(*ref, labels.EmptyLabels(), t, v)
	if err == nil {
		return true, nil
	}
	if errors.Is(err, tsdb.ErrInvalidSample) {
		*ref = 0
		return false, nil
	}
	return true, err
}

// settle books the outcome of one data point.
func (b *batch) settle(metricName string, t int64, err error) {
	if err == nil {
		b.accepted++
		b.span.add(t)
		return
	}
	b.refuse(metricName, 1, err)
}

func (b *batch) refuse(metricName string, points int, err error) {
	reason, failed := classify(err)
	if failed {
		b.failure = storeFailure(err)
		return
	}
	b.refused.add(reason, points, metricName, err)
}

var staleNaN = math.Float64frombits(value.StaleNaN)

func millis(t pcommon.Timestamp) int64 { return int64(t) / 1_000_000 }

// grow gives a slice of length n, zeroed.
func grow[T any](s []T, n int) []T {
	s = slices.Grow(s[:0], n)[:n]
	clear(s)
	return s
}
