package otlpload

import (
	"encoding/binary"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

const (
	// SpansOfTrace are a call through three services: of the first two a server and a client span, of the last a server span.
	SpansOfTrace = 5

	tracesOfRequest = 250
	// failEvery trace, the last service answers with an error.
	failEvery = 50
)

// Spans gives the spans of so many traces, in requests of one service each, as SDKs send them, spread over so many lanes.
// The requests with a trace's spans follow each other in a lane.
func Spans(traces, lanes int, now time.Time) (Lanes, error) {
	built := make(Lanes, lanes)
	for first := 0; first < traces; first += tracesOfRequest {
		group, n := first/tracesOfRequest, min(tracesOfRequest, traces-first)
		for depth := range 3 {
			td := spansOf(group, depth, first, n, now)
			body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
			if err != nil {
				return nil, err
			}
			built[group%lanes] = append(built[group%lanes], Request{Body: body, Items: td.SpanCount()})
		}
	}
	return built, nil
}

// spansOf gives what one service sends of n traces; depth says where in the call it is.
func spansOf(group, depth, first, n int, now time.Time) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	serviceAttributes(rs.Resource().Attributes(), (group+depth)%services)
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName("io.opentelemetry.tomcat-10.0")
	ss.Spans().EnsureCapacity(2 * n)
	for i := first; i < first+n; i++ {
		call := call{trace: i, depth: depth, at: now.Add(time.Duration(i) * time.Microsecond)}
		call.server(ss.Spans().AppendEmpty())
		if depth < 2 {
			call.client(ss.Spans().AppendEmpty(), serviceName((group+depth+1)%services))
		}
	}
	return td
}

// call is what one service does in a trace.
type call struct {
	trace, depth int
	at           time.Time
}

// server fills the span in which the service answers. Its number in the trace is twice the depth, that of the client's one more.
func (c call) server(span ptrace.Span) {
	c.common(span, 2*c.depth, ptrace.SpanKindServer)
	if c.failed() {
		span.Status().SetCode(ptrace.StatusCodeError)
	}
	span.SetName("GET /cart/{id}/" + strconv.Itoa(c.depth))
	to := span.Attributes()
	to.EnsureCapacity(8)
	to.PutStr("http.route", "/cart/{id}/"+strconv.Itoa(c.depth))
	to.PutStr("url.path", "/cart/"+strconv.Itoa(c.trace)+"/"+strconv.Itoa(c.depth))
	to.PutStr("url.scheme", "http")
	to.PutStr("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
	c.http(to)
}

// client fills the span in which it calls the next one.
func (c call) client(span ptrace.Span, peer string) {
	c.common(span, 2*c.depth+1, ptrace.SpanKindClient)
	span.SetName("GET")
	to := span.Attributes()
	to.EnsureCapacity(7)
	to.PutStr("server.address", peer+".bench.svc.cluster.local")
	to.PutInt("server.port", 8080)
	to.PutStr("url.full", "http://"+peer+".bench.svc.cluster.local:8080/cart/"+strconv.Itoa(c.trace)+"/"+strconv.Itoa(c.depth+1))
	c.http(to)
}

func (c call) common(span ptrace.Span, number int, kind ptrace.SpanKind) {
	hash := scatter(c.trace)
	span.SetTraceID(traceID(hash))
	span.SetSpanID(spanID(hash, number))
	if number > 0 {
		span.SetParentSpanID(spanID(hash, number-1))
	}
	span.SetKind(kind)
	took := time.Duration(20+c.trace%97-2*number) * time.Millisecond
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(c.at.Add(-took)))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(c.at))
}

func (c call) http(to pcommon.Map) {
	to.PutStr("http.request.method", "GET")
	status := int64(200)
	if c.failed() {
		status = 500
	}
	to.PutInt("http.response.status_code", status)
	to.PutStr("network.protocol.version", "1.1")
	to.PutStr("thread.name", thread(c.trace))
}

// failed is the last service's answer in some traces.
func (c call) failed() bool { return c.depth == 2 && c.trace%failEvery == 0 }

// scatter makes numbers that follow each other look unlike, as random ids do (splitmix64).
func scatter(i int) uint64 {
	x := uint64(i) * 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

func traceID(hash uint64) (id pcommon.TraceID) {
	binary.BigEndian.PutUint64(id[:8], ^hash)
	binary.BigEndian.PutUint64(id[8:], hash)
	return id
}

// spanID is never zero: an id of zeros is none.
func spanID(hash uint64, number int) (id pcommon.SpanID) {
	binary.BigEndian.PutUint64(id[:], hash|1<<63)
	id[7] = byte(number)
	return id
}
