package e2e

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// wideSpans makes spans, each a trace of its own that failed, with an attribute of some bytes.
func wideSpans(n, bytes int) (td ptrace.Traces, ids []pcommon.TraceID) {
	td = ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "wide")
	spans := rs.ScopeSpans().AppendEmpty().Spans()
	for range n {
		var id pcommon.TraceID
		_, _ = rand.Read(id[:])
		ids = append(ids, id)
		span := spans.AppendEmpty()
		span.SetTraceID(id)
		span.SetSpanID(pcommon.SpanID{1})
		span.SetName("SELECT")
		span.SetKind(ptrace.SpanKindClient)
		span.Status().SetCode(ptrace.StatusCodeError) // Every error is kept.
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		span.Attributes().PutStr("db.query.text", strings.Repeat("x", bytes))
	}
	return td, ids
}

func (c *collector) sendTraces(td ptrace.Traces) {
	c.t.Helper()
	body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	require.NoError(c.t, err)
	c.post(at(c.otlpHTTP, "/v1/traces"), protobuf, body)
}

// TestLargeBatchesArrive sends spans and lines that are long: batches of them are larger than the 4 MiB that a receiver of
// OTLP takes by default, as Jaeger does, which refuses more for good. A span that is too large by itself is dropped, alone,
// and counted.
func TestLargeBatchesArrive(t *testing.T) {
	t.Parallel()
	j, l := startJaeger(t), startLoki(t)
	gateway := startCollector(t, "gateway.yaml", decidingSoon(), withJaeger(j), withEnv("LOKI_ENDPOINT="+l.endpoint()))
	agent := startCollector(t, "sidecar.yaml", withEnv(fmt.Sprintf("GATEWAY_ENDPOINT=localhost:%d", gateway.otlpGRPC)))
	var sent []pcommon.TraceID
	send := func() {
		td, ids := wideSpans(200, 4<<10)
		agent.sendTraces(td)
		sent = append(sent, ids...)
	}
	for range 12 {
		send()
	}
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "wide")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for i := range 1500 {
		record := records.AppendEmpty()
		record.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		record.Body().SetStr(fmt.Sprintf("%04d %s", i, strings.Repeat("y", 4<<10)))
	}
	agent.sendLogs(ld)
	await(t, "all lines", func() error {
		lines, err := l.lines(`{service_name="wide"} | line_format "{{ __line__ | trunc 4 }}"`)
		if err != nil {
			return err
		}
		return atLeast(len(lines), records.Len())
	})

	poison, _ := wideSpans(1, 6<<20)
	gateway.sendTraces(poison)
	send()
	for _, id := range sent {
		await(t, id.String(), func() error { return j.hasTrace(id.String(), "SELECT") })
	}
	await(t, "the count of what was dropped", func() error {
		n, err := gateway.gauge("otelcol_exporter_refused_spans", `reason="too_large"`)
		if err == nil {
			assert.InDelta(t, 1, n, 0, "the large one alone")
		}
		return err
	})
}
