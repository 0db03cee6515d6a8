package servicehealth

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Details is what a service tells about itself, where it does.
type Details struct {
	// Uptime of the instance that runs longest; 0 where unknown.
	Uptime time.Duration
	// ResponseTime is the mean of the last 5 minutes in milliseconds, or that of the slowest probe that was answered;
	// 0 where unknown.
	ResponseTime float64
	// Metrics of the last 5 minutes: cpu_usage_percent (100 is one core; for a host, all of them), memory_usage_bytes,
	// memory_usage_percent, request_rate (requests a second), error_rate (percent of requests answered 5xx),
	// p95_latency_ms. Never NaN or infinite.
	Metrics map[string]float64
}

// The queries that tell the details; $ stands for the matcher of the service. Names are those of the Prometheus
// client libraries, of OpenTelemetry's semantic conventions, and of the collector itself. HTTP durations may be
// classic or native histograms.
const (
	uptimeQuery = `max by (job) (time() - process_start_time_seconds{$} or process_uptime_seconds{$}` +
		` or otelcol_process_uptime_seconds_total{$} or otelcol_process_uptime{$})`
	cpuQuery = `100 * sum by (job) (rate(process_cpu_seconds_total{$}[5m]) or rate(process_cpu_time_seconds_total{$}[5m])` +
		` or rate(otelcol_process_cpu_seconds_total{$}[5m]) or rate(otelcol_process_cpu_seconds{$}[5m]))` +
		` or 100 * (1 - avg by (job) (system_cpu_utilization_ratio{state="idle",$}))`
	memoryQuery = `sum by (job) (process_resident_memory_bytes{$} or process_memory_usage_bytes{$}` +
		` or otelcol_process_memory_rss_bytes{$} or otelcol_process_memory_rss{$})`
	memoryShareQuery = `100 * (avg by (job) (process_memory_utilization_ratio{$})` +
		` or sum by (job) (jvm_memory_used_bytes{jvm_memory_type="heap",$}) / sum by (job) (jvm_memory_limit_bytes{jvm_memory_type="heap",$})` +
		` or max by (job) (system_memory_utilization_ratio{state="used",$})` +
		` or max by (job) (1 - node_memory_MemAvailable_bytes{$} / node_memory_MemTotal_bytes{$}))`
	requestsQuery = `sum by (job) (rate(http_server_request_duration_seconds_count{$}[5m])` +
		` or histogram_count(rate(http_server_request_duration_seconds{$}[5m])))`
	errorsQuery = `sum by (job) (rate(http_server_request_duration_seconds_count{http_response_status_code=~"5..",$}[5m])` +
		` or histogram_count(rate(http_server_request_duration_seconds{http_response_status_code=~"5..",$}[5m])))`
	durationQuery = `1000 * sum by (job) (rate(http_server_request_duration_seconds_sum{$}[5m])` +
		` or histogram_sum(rate(http_server_request_duration_seconds{$}[5m])))`
	p95Query = `1000 * (histogram_quantile(0.95, sum by (job, le) (rate(http_server_request_duration_seconds_bucket{$}[5m])))` +
		` or histogram_quantile(0.95, sum by (job) (rate(http_server_request_duration_seconds{$}[5m]))))`
)

// describe gives the details by service: of one, or of all where name is empty.
func (a *Assessor) describe(ctx context.Context, name string, at time.Time) (map[string]Details, error) {
	matcher := `job!=""`
	if name != "" {
		matcher = "job=" + strconv.Quote(name)
	}
	exprs := []string{uptimeQuery, requestsQuery, errorsQuery, durationQuery, cpuQuery, memoryQuery, memoryShareQuery, p95Query}
	for i := range exprs {
		exprs[i] = strings.ReplaceAll(exprs[i], "$", matcher)
	}
	answers, err := a.queryAll(ctx, at, exprs...)
	if err != nil {
		return nil, fmt.Errorf("describe services: %w", err)
	}
	uptime, requests, failed, duration := answers[0], answers[1], answers[2], answers[3]
	asTold := map[string]map[string]float64{
		"request_rate": requests, "cpu_usage_percent": answers[4], "memory_usage_bytes": answers[5],
		"memory_usage_percent": answers[6], "p95_latency_ms": answers[7],
	}
	all := map[string]Details{}
	for _, answer := range answers {
		for job := range answer {
			all[job] = Details{}
		}
	}
	for job := range all {
		d := Details{Metrics: map[string]float64{}}
		if seconds := uptime[job]; seconds > 0 && seconds < math.MaxInt64/float64(time.Second) {
			d.Uptime = time.Duration(seconds * float64(time.Second))
		}
		for key, values := range asTold {
			if v, ok := values[job]; ok && finite(v) {
				d.Metrics[key] = v
			}
		}
		if rate := requests[job]; rate > 0 {
			if percent := 100 * failed[job] / rate; finite(percent) {
				d.Metrics["error_rate"] = percent
			}
			if mean := duration[job] / rate; finite(mean) {
				d.ResponseTime = mean
			}
		}
		all[job] = d
	}
	return all, nil
}

// take has what a service tells about itself, over what a probe tells of it.
func (d *Details) take(own Details) {
	d.Uptime, d.Metrics = own.Uptime, own.Metrics
	if own.ResponseTime > 0 {
		d.ResponseTime = own.ResponseTime
	}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// FormatUptime writes days, hours and minutes, without leading zeros: "15d 7h 23m", "7h 23m", "0m".
func FormatUptime(d time.Duration) string {
	days, hours, minutes := d/(24*time.Hour), d/time.Hour%24, d/time.Minute%60
	switch {
	case days > 0:
		return fmt.Sprintf("%dd %dh %dm", days, hours, minutes)
	case hours > 0:
		return fmt.Sprintf("%dh %dm", hours, minutes)
	default:
		return fmt.Sprintf("%dm", minutes)
	}
}
