package e2e

import (
	"crypto/rand"
	"net/http"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// call is a trace of a test: a client span of the shop and below it a server span of the stock.
type call struct {
	id pcommon.TraceID
	// took is how long the stock took.
	took   time.Duration
	failed bool
	// threshold is the stock's sampling.slow_threshold.
	threshold string
	// state is the tracestate.
	state string
}

// newCalls gives a number of calls that are alike.
func newCalls(n int, like call) []call {
	calls := make([]call, n)
	for i := range calls {
		calls[i] = like
		_, _ = rand.Read(calls[i].id[:])
	}
	return calls
}

// span makes one of the two.
func (k *call) span(td ptrace.Traces, service string) {
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", service)
	span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID(k.id)
	span.TraceState().FromRaw(k.state)
	end := time.Now()
	span.SetName(service + "-work")
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(end.Add(-k.took)))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(end))
	if service == "shop" {
		span.SetSpanID(pcommon.SpanID{1})
		span.SetKind(ptrace.SpanKindClient)
		return
	}
	span.SetSpanID(pcommon.SpanID{2})
	span.SetParentSpanID(pcommon.SpanID{1})
	span.SetKind(ptrace.SpanKindServer)
	if k.threshold != "" {
		rs.Resource().Attributes().PutStr("sampling.slow_threshold", k.threshold)
	}
	if k.failed {
		span.Status().SetCode(ptrace.StatusCodeError)
		span.Status().SetMessage("out of stock")
	}
}

// sendCalls sends the spans of the services, in one request.
func (c *collector) sendCalls(calls []call, services ...string) {
	c.t.Helper()
	td := ptrace.NewTraces()
	for i := range calls {
		for _, service := range services {
			calls[i].span(td, service)
		}
	}
	body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	require.NoError(c.t, err)
	c.post(at(c.otlpHTTP, "/v1/traces"), protobuf, body)
}

// tryTraces asks the API for traces, and gives the spans of each. None is no error.
func (c *collector) tryTraces(path string) (map[pcommon.TraceID][]ptrace.Span, error) {
	status, body, err := tryRequest(http.MethodGet, at(c.api, "/api/v1/traces"+path), "", nil)
	if err != nil || status == http.StatusNotFound {
		return nil, err
	}
	require.Equal(c.t, http.StatusOK, status, "%s", body)
	td, err := new(ptrace.JSONUnmarshaler).UnmarshalTraces(body)
	if err != nil {
		return nil, err
	}
	found := map[pcommon.TraceID][]ptrace.Span{}
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				found[span.TraceID()] = append(found[span.TraceID()], span)
			}
		}
	}
	return found, nil
}
