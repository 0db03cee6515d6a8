package e2e

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// keptEvidence is the part of what is kept with an incident that tests look at.
type keptEvidence struct {
	State   string
	Sources []struct{ Name, State, Reason string }
	Metrics []struct {
		AlertName, Expression, Query, Note string
		Series                             []struct{ Values []struct{ V string } }
	}
	Traces []struct {
		TraceID, Reason, RootOperation string
		Spans, KeptSpans               int
		Failures                       []struct{ Service, Operation, Message string }
		Links                          struct{ Trace string }
		Otlp                           map[string]any
	}
	Logs []struct {
		Pattern, TraceID string
		Count            int
	}
}

// withEvidence collects soon, and has a rule that fires while payments fail.
func withEvidence(t *testing.T, j *jaeger, l *loki) []option {
	t.Helper()
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(rules, []byte(`
groups:
  - name: payments
    interval: 1s
    rules:
      - alert: PaymentsFail
        expr: sum by (service_name) (traces_span_metrics_calls_total{status_code="STATUS_CODE_ERROR", service_name="payments"}) > 2
        labels: {severity: high}
`), 0o600))
	return []option{
		scrapingOften(), withEnv("JAEGER_ENDPOINT="+j.endpoint(), "LOKI_ENDPOINT="+l.endpoint(), "RULE_FILES="+rules),
		withOverlay(fmt.Sprintf(`{extensions: {monitoring_api: {jaeger: {endpoint: "localhost:%d", timeout: 2s, tls: {insecure: true}},
			loki: {endpoint: %q, timeout: 2s},
			evidence: {interval: 500ms, first_after: 3s, again_after: 6s, settle: 1s, retry_after: 4s, timeout: 5s,
			links: {trace: "http://localhost:%d/trace/{{ .TraceID }}"}}}}}`, j.queryGRPC, l.endpoint(), j.queryHTTP)),
	}
}

// failPayment sends a trace whose second span failed, with a line that says so, and gives its id.
func (c *collector) failPayment() string {
	c.t.Helper()
	var id pcommon.TraceID
	_, err := rand.Read(id[:])
	require.NoError(c.t, err)
	td := ptrace.NewTraces()
	add := func(service, name string, span, parent byte) ptrace.Span {
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", service)
		s := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		s.SetTraceID(id)
		s.SetSpanID(pcommon.SpanID{span})
		if parent != 0 {
			s.SetParentSpanID(pcommon.SpanID{parent})
		}
		s.SetName(name)
		s.SetKind(ptrace.SpanKindServer)
		s.SetStartTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-time.Duration(10-span) * time.Millisecond)))
		s.SetEndTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		return s
	}
	add("shop", "POST /buy", 1, 0)
	failed := add("payments", "POST /pay", 2, 1)
	failed.Status().SetCode(ptrace.StatusCodeError)
	failed.Status().SetMessage("card 4711 was declined")
	body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	require.NoError(c.t, err)
	c.post(at(c.otlpHTTP, "/v1/traces"), protobuf, body)

	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "payments")
	record := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	record.SetSeverityNumber(plog.SeverityNumberError)
	record.SetTraceID(id)
	record.Body().SetStr(fmt.Sprintf("order %d: card declined", time.Now().UnixNano()))
	body, err = plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	require.NoError(c.t, err)
	c.post(at(c.otlpHTTP, "/v1/logs"), protobuf, body)
	return id.String()
}

func (c *collector) evidence(id string) (kept keptEvidence, err error) {
	err = tryJSON(at(c.api, "/api/v1/incidents/"+id+"/evidence?spans=true"), &kept)
	return kept, err
}

// awaitFailure lets payments fail until there is an incident.
func (c *collector) awaitFailure() (found incident) {
	c.t.Helper()
	await(c.t, "an incident", func() error {
		c.failPayment()
		var all []incident
		if err := tryJSON(at(c.api, "/api/v1/incidents"), &all); err != nil {
			return err
		}
		if len(all) == 0 {
			return fmt.Errorf("there is none")
		}
		found = all[0]
		return nil
	})
	return found
}

// TestAnIncidentHasItsEvidence lets payments fail: the incident has the metric that fired, the traces that failed and the
// line that says why, and keeps them when Jaeger and Loki have lost them.
func TestAnIncidentHasItsEvidence(t *testing.T) {
	t.Parallel()
	j, l := startJaeger(t), startLoki(t)
	c := startCollector(t, allInOne, withEvidence(t, j, l)...)
	in := c.awaitFailure()
	var kept keptEvidence
	await(t, "evidence", func() (err error) {
		if kept, err = c.evidence(in.ID); err != nil {
			return err
		}
		if len(kept.Metrics) == 0 || len(kept.Traces) == 0 || len(kept.Metrics[0].Series) == 0 || len(kept.Logs) == 0 {
			return fmt.Errorf("it is %+v", kept)
		}
		return nil
	})
	m, trace := kept.Metrics[0], kept.Traces[0]
	assert.Equal(t, "PaymentsFail", m.AlertName)
	assert.Contains(t, m.Expression, "> 2")
	assert.NotContains(t, m.Query, "> 2")
	assert.Equal(t, "exemplar", trace.Reason, "the series that fired names it")
	assert.Equal(t, "POST /buy", trace.RootOperation)
	assert.Equal(t, "payments", trace.Failures[0].Service)
	assert.Equal(t, "card 4711 was declined", trace.Failures[0].Message)
	assert.Equal(t, at(j.queryHTTP, "/trace/"+trace.TraceID), trace.Links.Trace)
	assert.NotEmpty(t, trace.Otlp["resourceSpans"])
	assert.Equal(t, "order <_>: card declined", kept.Logs[0].Pattern)
	assert.Positive(t, kept.Logs[0].Count)
	assert.Len(t, kept.Logs[0].TraceID, 32, "it leads to a trace")
	var counted struct {
		Evidence struct{ Metrics, Traces, LogPatterns int }
	}
	getJSON(t, at(c.api, "/api/v1/incidents/"+in.ID), &counted)
	assert.Positive(t, counted.Evidence.Traces)
	assert.Positive(t, counted.Evidence.LogPatterns)

	j.kill()
	l.kill()
	c.kill()
	c.start()
	again, err := c.evidence(in.ID)
	require.NoError(t, err)
	require.NotEmpty(t, again.Traces)
	assert.NotEmpty(t, again.Traces[0].Otlp["resourceSpans"], "it outlives Jaeger, and a crash")
	assert.NotEmpty(t, again.Logs)
	status, _, err := tryRequest(http.MethodGet, at(c.api, "/api/v1/incidents/nothing/evidence"), "", nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusNotFound, status)
}

// TestEvidenceWhileJaegerAndLokiAreAway opens an incident all the same, says what was away, and completes it later.
func TestEvidenceWhileJaegerAndLokiAreAway(t *testing.T) {
	t.Parallel()
	j, l := startJaeger(t), startLoki(t)
	c := startCollector(t, allInOne, withEvidence(t, j, l)...)
	c.failPayment()
	await(t, "the spans in Jaeger", func() error { return j.has("payments") })
	await(t, "the lines in Loki", func() error {
		lines, err := l.lines(`{service_name="payments"}`)
		if err != nil {
			return err
		}
		return atLeast(len(lines), 1)
	})
	j.kill()
	l.kill()
	in := c.awaitFailure()
	await(t, "what is away", func() error {
		kept, err := c.evidence(in.ID)
		if err != nil {
			return err
		}
		var away []string
		for _, s := range kept.Sources {
			if s.State == "away" && s.Reason != "" && len(kept.Metrics) > 0 {
				away = append(away, s.Name)
			}
		}
		return missing(away, "logs", "traces")
	})
	for _, source := range []string{"logs", "traces"} {
		n, err := c.gauge("otelcol_monitoring_api_evidence_requests", `outcome="away"`, `source="`+source+`"`)
		require.NoError(t, err)
		assert.Positive(t, n, "%s, in the collector's own metrics", source)
	}
	j.start()
	l.start()
	await(t, "its traces and lines", func() error {
		kept, err := c.evidence(in.ID)
		if err == nil && (len(kept.Traces) == 0 || kept.Traces[0].Spans == 0 || len(kept.Logs) == 0) {
			err = fmt.Errorf("it is %+v", kept)
		}
		return err
	})
}
