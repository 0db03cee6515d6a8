package e2e

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

const protobuf = "application/x-protobuf"

// gauges makes series of one gauge, told apart by the label "n" from first on, with one sample each. The service
// becomes the job.
func gauges(service, name string, first, series int, at time.Time, value float64) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", service)
	metric := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	metric.SetName(name)
	points := metric.SetEmptyGauge().DataPoints()
	points.EnsureCapacity(series)
	for n := range series {
		point := points.AppendEmpty()
		point.SetTimestamp(pcommon.NewTimestampFromTime(at))
		point.SetDoubleValue(value)
		point.Attributes().PutStr("n", strconv.Itoa(first+n))
	}
	return md
}

// trySend gives the status of an OTLP/HTTP export. 200 says that every data point is stored: this distribution
// answers a partial success with 200, too, so that its count is an error.
func (c *collector) trySend(md pmetric.Metrics) (status int, answer string, err error) {
	return c.trySendBy(client, md)
}

func (c *collector) trySendBy(sender *http.Client, md pmetric.Metrics) (status int, answer string, err error) {
	body, err := pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto()
	if err != nil {
		return 0, "", err
	}
	resp, raw, err := tryRequestFull(sender, http.MethodPost, at(c.otlpHTTP, "/v1/metrics"), protobuf, body, nil)
	if err != nil {
		return 0, "", err
	}
	if status = resp.StatusCode; status != http.StatusOK {
		return status, string(raw), nil
	}
	response := pmetricotlp.NewExportResponse()
	if err := response.UnmarshalProto(raw); err != nil {
		return status, "", err
	}
	if n := response.PartialSuccess().RejectedDataPoints(); n > 0 {
		return status, "", fmt.Errorf("%d data points rejected: %s", n, response.PartialSuccess().ErrorMessage())
	}
	return status, "", nil
}

// send wants the metrics to be acknowledged.
func (c *collector) send(md pmetric.Metrics) {
	c.t.Helper()
	status, answer, err := c.trySend(md)
	require.NoError(c.t, err)
	require.Equal(c.t, http.StatusOK, status, answer)
}

// sendSpan sends a trace of one span.
func (c *collector) sendSpan(service string) {
	c.t.Helper()
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", service)
	span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetName("checkout")
	span.SetKind(ptrace.SpanKindServer)
	span.SetTraceID(pcommon.TraceID{1})
	span.SetSpanID(pcommon.SpanID{1})
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-250 * time.Millisecond)))
	body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	require.NoError(c.t, err)
	c.post(at(c.otlpHTTP, "/v1/traces"), protobuf, body)
}

// sendLog sends one log record.
func (c *collector) sendLog(service, text string) {
	c.t.Helper()
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", service)
	record := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	record.Body().SetStr(text)
	body, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	require.NoError(c.t, err)
	c.post(at(c.otlpHTTP, "/v1/logs"), protobuf, body)
}

// post wants a 2xx.
func (c *collector) post(target, contentType string, body []byte) {
	c.t.Helper()
	status, answer, err := tryRequest(http.MethodPost, target, contentType, body)
	require.NoError(c.t, err)
	require.Equal(c.t, 2, status/100, "%s: %d: %s", target, status, answer)
}
