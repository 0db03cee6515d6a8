package otlpload

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Shape is the size of a load: every series of every resource gets every sample, Step apart, the last at End.
type Shape struct {
	Resources int
	// Series of one resource, a multiple of the number of instruments (10).
	Series  int
	Samples int
	Step    time.Duration
	End     time.Time
}

// Points is how many data points the whole load has.
func (s Shape) Points() int { return s.Resources * s.Series * s.Samples }

// time gives the time of sample i.
func (s Shape) time(i int) time.Time {
	return s.End.Add(-time.Duration(s.Samples-1-i) * s.Step)
}

// instrument is one metric of a service.
type instrument struct {
	name, unit string
	monotonic  bool
	scale      float64
}

func instruments() []instrument {
	return []instrument{
		{name: "bench.queue.depth", scale: 100},
		{name: "bench.memory.used", unit: "By", scale: 1 << 30},
		{name: "bench.temperature", unit: "Cel", scale: 90},
		{name: "bench.connections", unit: "{connection}", scale: 1000},
		{name: "bench.pool.utilization", unit: "1", scale: 1},
		{name: "bench.requests", unit: "{request}", monotonic: true, scale: 500},
		{name: "bench.errors", unit: "{error}", monotonic: true, scale: 5},
		{name: "bench.network.io", unit: "By", monotonic: true, scale: 1 << 20},
		{name: "bench.busy.time", unit: "s", monotonic: true, scale: 15},
		{name: "bench.disk.operations", unit: "{operation}", monotonic: true, scale: 200},
	}
}

// resource keeps the running values of one service's series.
type resource struct {
	number int
	values [][]float64
	random *rand.Rand
}

func newResource(number int, shape Shape) *resource {
	r := &resource{number: number, random: rand.New(rand.NewPCG(1, uint64(number)))}
	for range instruments() {
		r.values = append(r.values, make([]float64, shape.Series/len(instruments())))
	}
	return r
}

// sample gives one data point of every series: gauges jump about, sums only grow.
func (r *resource) sample(at time.Time) pmetric.Metrics {
	md, metrics := r.envelope()
	started := pcommon.NewTimestampFromTime(at.Truncate(24 * time.Hour))
	for i, in := range instruments() {
		m := metrics.AppendEmpty()
		m.SetName(in.name)
		m.SetUnit(in.unit)
		var points pmetric.NumberDataPointSlice
		if in.monotonic {
			sum := m.SetEmptySum()
			sum.SetIsMonotonic(true)
			sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			points = sum.DataPoints()
		} else {
			points = m.SetEmptyGauge().DataPoints()
		}
		points.EnsureCapacity(len(r.values[i]))
		for j := range r.values[i] {
			step := r.random.Float64() * in.scale
			if in.monotonic {
				r.values[i][j] += step
			} else {
				r.values[i][j] = step
			}
			p := points.AppendEmpty()
			p.SetTimestamp(pcommon.NewTimestampFromTime(at))
			p.SetStartTimestamp(started)
			p.SetDoubleValue(r.values[i][j])
			r.attributes(p.Attributes(), j)
		}
	}
	return md
}

// envelope gives metrics of this resource and the list to fill.
func (r *resource) envelope() (pmetric.Metrics, pmetric.MetricSlice) {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	attributes := rm.Resource().Attributes()
	attributes.PutStr("service.name", fmt.Sprintf("service-%d", r.number))
	attributes.PutStr("service.instance.id", fmt.Sprintf("instance-%d", r.number))
	attributes.PutStr("service.version", "1.4.2")
	attributes.PutStr("deployment.environment.name", "production")
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName("github.com/quantivista/monitoring/test/bench")
	return md, sm.Metrics()
}

// attributes are unique to series j within an instrument.
func (r *resource) attributes(to pcommon.Map, j int) {
	methods := []string{"GET", "POST", "PUT", "PATCH", "DELETE"}
	to.EnsureCapacity(5)
	to.PutStr("http.request.method", methods[j%5])
	to.PutInt("http.response.status_code", int64(200+300*(j/5%2)))
	to.PutStr("http.route", "/route-"+strconv.Itoa(j/10))
	to.PutStr("server.address", fmt.Sprintf("host-%d.example.org", r.number))
	to.PutStr("network.protocol.version", "1.1")
}

// histogram gives one data point of each of count histograms, for the queries that need buckets.
func (r *resource) histogram(at time.Time, count, sample int) pmetric.Metrics {
	md, metrics := r.envelope()
	m := metrics.AppendEmpty()
	m.SetName("bench.request.duration")
	m.SetUnit("s")
	h := m.SetEmptyHistogram()
	h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	bounds := []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5}
	for j := range count {
		p := h.DataPoints().AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(at))
		p.SetStartTimestamp(pcommon.NewTimestampFromTime(at.Truncate(24 * time.Hour)))
		p.ExplicitBounds().FromRaw(bounds)
		total := uint64(0)
		for b := range len(bounds) + 1 {
			inBucket := uint64((sample + 1) * (1 + (b*j)%7))
			p.BucketCounts().Append(inBucket)
			total += inBucket
		}
		p.SetCount(total)
		p.SetSum(float64(total) * 0.1)
		r.attributes(p.Attributes(), j)
	}
	return md
}
