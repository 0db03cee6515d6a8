package otlpload

import (
	"fmt"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

// The load of the rules: Jobs of SeriesOfJob counters each, half of them of errors.
const (
	Jobs        = 2000
	SeriesOfJob = 50
	// JobMetric is what Prometheus calls the counters.
	JobMetric = "bench_job_requests_total"

	jobsOfRequest = 20
)

// JobName is the label job of a job.
func JobName(job int) string { return "job-" + strconv.Itoa(job) }

// Requests gives the counters of all jobs at the times of a shape, spread over so many lanes.
func Requests(shape Shape, lanes int) (Lanes, error) {
	built := make(Lanes, lanes)
	for sample := range shape.Samples {
		for first := 0; first < Jobs; first += jobsOfRequest {
			md := pmetric.NewMetrics()
			for job := first; job < first+jobsOfRequest; job++ {
				addJob(md, job, sample, shape)
			}
			body, err := pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto()
			if err != nil {
				return nil, err
			}
			lane := first / jobsOfRequest % lanes
			built[lane] = append(built[lane], Request{Body: body, Items: md.DataPointCount()})
		}
	}
	return built, nil
}

// addJob adds one data point of each counter of a job.
func addJob(md pmetric.Metrics, job, sample int, shape Shape) {
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", JobName(job))
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("bench.job.requests")
	m.SetUnit("{request}")
	sum := m.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	for series := range SeriesOfJob {
		p := sum.DataPoints().AppendEmpty()
		p.SetStartTimestamp(pcommon.NewTimestampFromTime(shape.time(0)))
		p.SetTimestamp(pcommon.NewTimestampFromTime(shape.time(sample)))
		p.SetDoubleValue(float64(sample * (series + 1)))
		p.Attributes().PutStr("code", []string{"200", "500"}[series%2])
		p.Attributes().PutStr("instance_name", fmt.Sprintf("host-%d", series))
	}
}
