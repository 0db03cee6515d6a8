package e2e

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// TestAnAlertUpstreamJoins makes a service graph of spans, web → api → orders, a database, and has the database and then web
// alert: that is one incident where the service graph is to be gone by, and two where it is not.
func TestAnAlertUpstreamJoins(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, d *database) {
		c := startCollector(t, allInOne, d.option(), scrapingOften(), withOverlay(`exporters: {incident: {service_graph: {refresh_interval: 100ms}}}`))
		c.sendOrder()
		await(t, "the exporter to know the service graph", func() error {
			edges, err := c.gauge("otelcol_exporter_incident_service_graph_edges")
			if err == nil && edges != 2 {
				err = fmt.Errorf("it knows %v calls", edges)
			}
			return err
		})
		full := c.raise(`{"name": "Full", "severity": "high", "labels": {"service": "orders"}}`)
		slow := c.raise(`{"name": "Slow", "severity": "critical", "labels": {"service": "web"}}`)
		c.raise(`{"name": "Other", "severity": "high", "labels": {"service": "mailer"}}`)

		all := c.unresolved()
		require.Len(t, all, 2)
		in := all[1]
		assert.Equal(t, []any{"Full on orders", "critical", []string{"orders", "web"}}, []any{in.Title, in.Severity, in.AffectedServices})
		assert.Len(t, in.RelatedAlerts, 2)
		var timeline []struct {
			Type, Content string
			Metadata      struct{ Path []string }
		}
		getJSON(t, at(c.api, "/api/v1/incidents/"+in.ID+"/timeline"), &timeline)
		var paths [][]string
		for _, e := range timeline {
			if e.Metadata.Path != nil {
				paths = append(paths, e.Metadata.Path)
				assert.Equal(t, []string{"alert", "Slow began to fire (upstream: web → api → orders)"}, []string{e.Type, e.Content})
			}
		}
		assert.Equal(t, [][]string{{"web", "api", "orders"}}, paths)

		e := c.explain(slow.ID)
		assert.Equal(t, []any{in.ID, []string{"web", "api", "orders"}}, []any{e.IncidentID, e.IncidentPath})
		assert.Contains(t, e.Summary, "It is in the incident of orders, which its service calls: web → api → orders.")
		assert.Empty(t, c.explain(full.ID).IncidentPath)
		c.terminate()
	})
}

func TestAnAlertUpstreamStaysByItselfUnlessConfigured(t *testing.T) {
	t.Parallel()
	c := startCollector(t, allInOne, scrapingOften())
	c.sendOrder()
	c.awaitSeries(`traces_service_graph_request_total{client="api",server="orders",connection_type="database"} > 0`)
	c.awaitSeries(`traces_service_graph_request_total{client="web",server="api"} > 0`)
	c.raise(`{"name": "Full", "severity": "high", "labels": {"service": "orders"}}`)
	slow := c.raise(`{"name": "Slow", "severity": "critical", "labels": {"service": "web"}}`)
	assert.Len(t, c.unresolved(), 2)
	assert.Empty(t, c.explain(slow.ID).IncidentPath)
}

// unresolved gives the incidents that are not resolved, the newest first.
func (c *collector) unresolved() (all []incident) {
	c.t.Helper()
	status, body, err := tryRequest(http.MethodGet, at(c.api, "/api/v1/incidents"), "", nil)
	require.NoError(c.t, err)
	require.Equal(c.t, http.StatusOK, status, "%s", body)
	require.NoError(c.t, json.Unmarshal(body, &all))
	return all
}

// sendOrder sends the spans of one order: web calls api, which asks the database orders.
func (c *collector) sendOrder() {
	c.t.Helper()
	td := ptrace.NewTraces()
	var id pcommon.TraceID
	_, _ = rand.Read(id[:]) // never fails
	add := func(service string, kind ptrace.SpanKind, span, parent byte) ptrace.Span {
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", service)
		s := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		s.SetTraceID(id)
		s.SetSpanID(pcommon.SpanID{span})
		if parent != 0 {
			s.SetParentSpanID(pcommon.SpanID{parent})
		}
		s.SetKind(kind)
		s.SetName("order")
		s.SetStartTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-time.Millisecond)))
		s.SetEndTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		return s
	}
	add("web", ptrace.SpanKindClient, 1, 0)
	add("api", ptrace.SpanKindServer, 2, 1)
	add("api", ptrace.SpanKindClient, 3, 2).Attributes().PutStr("db.namespace", "orders")
	body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	require.NoError(c.t, err)
	c.post(at(c.otlpHTTP, "/v1/traces"), protobuf, body)
}
