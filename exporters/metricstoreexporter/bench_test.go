package metricstoreexporter

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

const (
	benchResources = 100
	benchSeries    = 1000 // of a resource, all in one request
)

// benchRequest is what one resource sends: half gauges, half sums, 20 series a metric, 5 attributes each.
func benchRequest(resource int, generation string) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "checkout")
	rm.Resource().Attributes().PutStr("service.instance.id", fmt.Sprintf("checkout-%03d", resource))
	rm.Resource().Attributes().PutStr("k8s.cluster.name", "eu-1")
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName("io.opentelemetry.contrib.http")
	for i := range benchSeries / 20 {
		m := sm.Metrics().AppendEmpty()
		m.SetName(fmt.Sprintf("http.server.request.kind%02d", i))
		m.SetUnit("s")
		points := numberPoints(m, i%2 == 0)
		for j := range 20 {
			p := points.AppendEmpty()
			p.Attributes().PutStr("http.request.method", "GET")
			p.Attributes().PutStr("http.route", fmt.Sprintf("/api/v1/items/%d", j))
			p.Attributes().PutStr("http.response.status_code", "200")
			p.Attributes().PutStr("network.protocol.version", "1.1")
			p.Attributes().PutStr("generation", generation)
			p.SetDoubleValue(float64(i * j))
		}
	}
	return md
}

func numberPoints(m pmetric.Metric, gauge bool) pmetric.NumberDataPointSlice {
	if gauge {
		return m.SetEmptyGauge().DataPoints()
	}
	m.SetEmptySum().SetIsMonotonic(true)
	m.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	return m.Sum().DataPoints()
}

// stamp gives every point the time and moves its value a little.
func stamp(md pmetric.Metrics, t time.Time) {
	ts := pcommon.NewTimestampFromTime(t)
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				points := m.Sum().DataPoints
				if m.Type() == pmetric.MetricTypeGauge {
					points = m.Gauge().DataPoints
				}
				for _, p := range points().All() {
					p.SetTimestamp(ts)
					p.SetDoubleValue(p.DoubleValue() + 1)
				}
			}
		}
	}
}

// BenchmarkKnownSeries writes samples of series that the exporter has seen before.
func BenchmarkKnownSeries(b *testing.B) {
	e := startExporter(b, newTestStore(b, nil), nil)
	requests := make([]pmetric.Metrics, benchResources)
	t := time.Now().Add(-time.Hour)
	for i := range requests {
		requests[i] = benchRequest(i, "0")
		stamp(requests[i], t)
		require.NoError(b, e.consume(context.Background(), requests[i]))
	}
	b.ReportAllocs()
	b.ResetTimer()
	samples := 0
	for i := 0; samples < b.N; i++ {
		if i%benchResources == 0 {
			t = t.Add(100 * time.Millisecond)
		}
		md := requests[i%benchResources]
		stamp(md, t)
		require.NoError(b, e.consume(context.Background(), md))
		samples += benchSeries
	}
}

// BenchmarkNewSeries writes the first sample of every series.
func BenchmarkNewSeries(b *testing.B) {
	e := startExporter(b, newTestStore(b, nil), nil)
	t := time.Now().Add(-time.Hour)
	b.ReportAllocs()
	samples := 0
	for i := 0; samples < b.N; i++ {
		b.StopTimer()
		md := benchRequest(i, "0")
		stamp(md, t)
		b.StartTimer()
		require.NoError(b, e.consume(context.Background(), md))
		samples += benchSeries
	}
}

// BenchmarkChurn replaces all series of a resource every 20 samples.
func BenchmarkChurn(b *testing.B) {
	e := startExporter(b, newTestStore(b, nil), nil)
	t := time.Now().Add(-time.Hour)
	b.ReportAllocs()
	samples := 0
	var md pmetric.Metrics
	for i := 0; samples < b.N; i++ {
		b.StopTimer()
		if i%20 == 0 {
			md = benchRequest(i%benchResources, fmt.Sprint(i))
		}
		t = t.Add(time.Millisecond)
		stamp(md, t)
		b.StartTimer()
		require.NoError(b, e.consume(context.Background(), md))
		samples += benchSeries
	}
}

// BenchmarkIdentity hashes the identity of a data point with five attributes.
func BenchmarkIdentity(b *testing.B) {
	md := benchRequest(0, "0")
	h := identifier{seeds: newSeriesCache(1).seeds}
	points := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints()
	b.ReportAllocs()
	for i := range b.N {
		h.number(identity{}, points.At(i%20).Attributes())
	}
}
