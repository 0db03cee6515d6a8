package monitoringapiextension

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/quantivista/monitoring/api"
)

// bytesCodec hands messages to the fake as they are.
type bytesCodec struct{}

func (bytesCodec) Name() string { return "proto" }

func (bytesCodec) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }

func (bytesCodec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}

// fakeJaeger answers by method, and keeps what it was asked last.
type fakeJaeger struct {
	answers map[string]func(request []byte) ([]byte, error)
	asked   atomic.Value
}

func (f *fakeJaeger) handle(_ any, stream grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(stream)
	var request []byte
	if err := stream.RecvMsg(&request); err != nil {
		return err
	}
	f.asked.Store(string(request))
	answer := f.answers[method[strings.LastIndex(method, "/")+1:]]
	if answer == nil {
		<-stream.Context().Done()
		return stream.Context().Err()
	}
	body, err := answer(request)
	if err != nil {
		return err
	}
	return stream.SendMsg(&body)
}

// asking configures the extension with the fake.
func (f *fakeJaeger) asking(t *testing.T, timeout time.Duration) func(*Config) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer(grpc.ForceServerCodec(bytesCodec{}), grpc.UnknownServiceHandler(f.handle))
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		require.NoError(t, <-done)
	})
	return jaegerAt(listener.Addr().String(), timeout)
}

func jaegerAt(address string, timeout time.Duration) func(*Config) {
	return func(c *Config) {
		c.Jaeger.Endpoint, c.Jaeger.TLS.Insecure, c.Jaeger.Timeout = address, true, timeout
	}
}

const (
	goodTrace = "01000000000000000000000000000000"
	badTrace  = "02000000000000000000000000000000"
)

// checkout is a trace of two services; the bad one waits for the stock, which fails.
func checkout(id string) ptrace.Traces {
	td := ptrace.NewTraces()
	number, lasts := byte(1), time.Second
	if id == badTrace {
		number, lasts = 2, 3*time.Second
	}
	add := func(service string, span, parent byte, from, to time.Duration) ptrace.Span {
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", service)
		s := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		s.SetTraceID(pcommon.TraceID{number})
		s.SetSpanID(pcommon.SpanID{span})
		s.SetParentSpanID(pcommon.SpanID{parent})
		s.SetName("do " + service)
		s.SetKind(ptrace.SpanKindServer)
		s.SetStartTimestamp(pcommon.Timestamp(1750432103e9 + int64(from)))
		s.SetEndTimestamp(pcommon.Timestamp(1750432103e9 + int64(to)))
		return s
	}
	add("shop", 1, 0, 0, lasts)
	stock := add("stock", 2, 1, 100*time.Millisecond, lasts-100*time.Millisecond)
	if id == badTrace {
		stock.Status().SetCode(ptrace.StatusCodeError)
		stock.Status().SetMessage("no answer after 2.8s")
	}
	return td
}

func marshaled(td ptrace.Traces) ([]byte, error) { return new(ptrace.ProtoMarshaler).MarshalTraces(td) }

// shop is a Jaeger that knows both traces.
func shop() *fakeJaeger {
	names := func(list ...string) []byte {
		var b []byte
		for _, name := range list {
			b = protowire.AppendString(protowire.AppendTag(b, 1, protowire.BytesType), name)
		}
		return b
	}
	return &fakeJaeger{answers: map[string]func([]byte) ([]byte, error){
		"GetServices":   func([]byte) ([]byte, error) { return names("stock", "shop"), nil },
		"GetOperations": func([]byte) ([]byte, error) { return names(string(append(names("do shop"), "\x12\x06server"...))), nil },
		"FindTraces":    func([]byte) ([]byte, error) { return marshaled(checkout(badTrace)) },
		"GetTrace": func(request []byte) ([]byte, error) {
			for _, id := range []string{goodTrace, badTrace} {
				if strings.Contains(string(request), id) {
					return marshaled(checkout(id))
				}
			}
			return nil, status.Error(codes.NotFound, "trace not found")
		},
	}}
}

func TestTraces(t *testing.T) {
	jaeger := shop()
	_, base := start(t, newTestStore(t, ""), jaeger.asking(t, time.Minute))

	got := get(t, base+"/api/v1/traces?service=shop&operation=do+shop&tags=error%3Dtrue&minDuration=1.5s&maxDuration=1m&start=2025-06-20T15:00:00Z&end=1750436000&limit=7")
	require.Equal(t, http.StatusOK, got.status, got.body)
	td, err := new(ptrace.JSONUnmarshaler).UnmarshalTraces([]byte(got.body))
	require.NoError(t, err)
	assert.Equal(t, 2, td.SpanCount())
	asked := jaeger.asked.Load().(string)
	for _, part := range []string{"\x0a\x04shop", "\x12\x07do shop", "\x0a\x05error\x12\x04true", "\x40\x07"} {
		assert.Contains(t, asked, part)
	}

	got = get(t, base+"/api/v1/traces/"+goodTrace)
	require.Equal(t, http.StatusOK, got.status, got.body)
	assert.Equal(t, "application/json", got.header.Get("Content-Type"))
	assert.Contains(t, got.body, `"traceId":"`+goodTrace+`"`)

	assert.JSONEq(t, `["shop","stock"]`, get(t, base+"/api/v1/traces/services").body)
	assert.JSONEq(t, `[{"name":"do shop","kind":"server"}]`, get(t, base+"/api/v1/traces/services/a%2Fb/operations").body)
	assert.Equal(t, "\x0a\x03a/b", jaeger.asked.Load())
}

func TestTraceAnalysis(t *testing.T) {
	_, base := start(t, newTestStore(t, ""), shop().asking(t, time.Minute))
	got := get(t, base+"/api/v1/traces/"+badTrace+"/analysis?limit=1")
	require.Equal(t, http.StatusOK, got.status, got.body)
	assert.JSONEq(t, `{
		"traceId": "`+badTrace+`", "start": "2025-06-20T15:08:23Z", "durationSeconds": 3, "spans": 2,
		"services": [{"name":"stock","spans":1,"errors":1,"selfSeconds":2.8},{"name":"shop","spans":1,"errors":0,"selfSeconds":0.2}],
		"roots": [{"spanId":"0100000000000000","service":"shop","operation":"do shop","kind":"server","startSeconds":0,"durationSeconds":3,"selfSeconds":0.2,"criticalSeconds":0.2}],
		"criticalPath": [
			{"spanId":"0100000000000000","service":"shop","operation":"do shop","startSeconds":0,"durationSeconds":0.1},
			{"spanId":"0200000000000000","service":"stock","operation":"do stock","startSeconds":0.1,"durationSeconds":2.8},
			{"spanId":"0100000000000000","service":"shop","operation":"do shop","startSeconds":2.9,"durationSeconds":0.1}],
		"slowest": [{"spanId":"0200000000000000","service":"stock","operation":"do stock","kind":"server","startSeconds":0.1,"durationSeconds":2.8,"selfSeconds":2.8,"criticalSeconds":2.8}],
		"errors": [{"spanId":"0200000000000000","service":"stock","operation":"do stock","type":"","message":"no answer after 2.8s","startSeconds":0.1}],
		"warnings": []}`, got.body)

	compared := decode[api.TraceComparison](t, get(t, base+"/api/v1/traces/compare?a="+goodTrace+"&b="+badTrace))
	require.Len(t, compared.Operations, 2)
	assert.Equal(t, "stock", compared.Operations[0].Service)
	assert.InDelta(t, 2, compared.Operations[0].SelfSecondsMore, 1e-9)
	assert.Equal(t, []api.ErrorGroup{{Service: "stock", Operation: "do stock", Message: "no answer after *", Count: 1, ExampleTraceID: badTrace}}, compared.NewErrors)
}

func TestCompareServicePeriods(t *testing.T) {
	jaeger := shop()
	failed := jaeger.answers["FindTraces"]
	var asks atomic.Int32
	jaeger.answers["FindTraces"] = func(request []byte) ([]byte, error) {
		if asks.Add(1) == 1 {
			return nil, nil // The period before has no errors.
		}
		return failed(request)
	}
	_, base := start(t, newTestStore(t, `load 1m
		traces_span_metrics_calls_total{service_name="stock", span_name="do stock", span_kind="SPAN_KIND_SERVER", status_code="STATUS_CODE_UNSET"} 0+60x120
		traces_span_metrics_duration_seconds_count{service_name="stock", span_name="do stock", span_kind="SPAN_KIND_SERVER"} 0+60x120
		traces_span_metrics_duration_seconds_sum{service_name="stock", span_name="do stock", span_kind="SPAN_KIND_SERVER"} 0+6x60 360+24x60
		traces_service_graph_request_total{client="shop", server="stock"} 0+60x120
	`), jaeger.asking(t, time.Minute))

	got := decode[api.ServiceComparison](t, get(t, base+"/api/v1/traces/services/stock/comparison?start=3600&end=7200"))
	assert.Equal(t, time.Unix(0, 0).UTC(), got.PreviousStart)
	require.Len(t, got.Operations, 1)
	assert.Equal(t, api.Slower, got.Operations[0].Verdict)
	assert.Nil(t, got.Operations[0].Current.P95Seconds)
	require.Len(t, got.NewErrors, 1)
	assert.Equal(t, badTrace, got.NewErrors[0].ExampleTraceID)
	assert.Empty(t, got.Warnings)

	unknown := decode[api.ServiceComparison](t, get(t, base+"/api/v1/traces/services/none/comparison?start=3600&end=7200"))
	assert.Len(t, unknown.Warnings, 1)

	assert.JSONEq(t, `[{"parent":"shop","child":"stock","callCount":3600,"errorCount":0}]`, get(t, base+"/api/v1/traces/dependencies?start=3600&end=7200").body)
}

// tracePaths are all that ask Jaeger.
var tracePaths = []string{
	"?service=shop", "/" + goodTrace, "/" + goodTrace + "/analysis", "/compare?a=" + goodTrace + "&b=" + badTrace,
	"/services", "/services/shop/operations", "/services/shop/comparison",
}

func TestTracesWithoutJaeger(t *testing.T) {
	_, base := start(t, newTestStore(t, ""))
	for _, path := range tracePaths {
		got := get(t, base+"/api/v1/traces"+path)
		assert.Equal(t, http.StatusNotFound, got.status, path)
		assert.Contains(t, got.problem(t).Detail, `set "jaeger::endpoint"`)
	}
	assert.JSONEq(t, `[]`, get(t, base+"/api/v1/traces/dependencies").body)
}

func TestTracesWhileJaegerIsAway(t *testing.T) {
	address := strings.TrimPrefix(gone(t), "http://")
	_, base := start(t, newTestStore(t, ""), jaegerAt(address, time.Minute))
	for _, path := range tracePaths {
		got := get(t, base+"/api/v1/traces"+path)
		assert.Equal(t, http.StatusBadGateway, got.status, path)
		assert.Contains(t, got.problem(t).Detail, "Jaeger at "+address+" cannot be reached")
	}
}

func TestTracesWhileJaegerIsSlow(t *testing.T) {
	_, base := start(t, newTestStore(t, ""), (&fakeJaeger{}).asking(t, 100*time.Millisecond))
	for _, path := range tracePaths {
		got := get(t, base+"/api/v1/traces"+path)
		assert.Equal(t, http.StatusGatewayTimeout, got.status, path)
		assert.Contains(t, got.problem(t).Detail, "did not answer within 100ms")
	}
}

func TestErrorsOfJaegerAreTold(t *testing.T) {
	jaeger := shop()
	_, base := start(t, newTestStore(t, ""), jaeger.asking(t, time.Minute))
	got := get(t, base+"/api/v1/traces/03000000000000000000000000000000")
	assert.Equal(t, http.StatusNotFound, got.status)
	assert.Contains(t, got.problem(t).Detail, "has no trace 0300")
	for code, want := range map[codes.Code]int{
		codes.InvalidArgument: http.StatusBadRequest, codes.ResourceExhausted: http.StatusUnprocessableEntity, codes.Internal: http.StatusBadGateway,
	} {
		jaeger.answers["FindTraces"] = func([]byte) ([]byte, error) { return nil, status.Error(code, "because") }
		got := get(t, base+"/api/v1/traces?service=shop")
		assert.Equal(t, want, got.status)
		assert.Contains(t, got.problem(t).Detail, "because")
	}
}

func TestTracesRefuseWhatCannotBe(t *testing.T) {
	_, base := start(t, newTestStore(t, ""), shop().asking(t, time.Minute))
	for path, field := range map[string]string{
		"": "service", "?service=": "service", "?service=%ff": "service", "?service=a&operation=%ff": "operation", "?service=a&tags=b": "tags",
		"?service=a&minDuration=5": "minDuration", "?service=a&maxDuration=-1s": "maxDuration", "?service=a&minDuration=2s&maxDuration=1s": "maxDuration",
		"?service=a&start=yesterday": "start", "?service=a&end=NaN": "end", "?service=a&start=7&end=7": "start", "?service=a&limit=0": "limit",
		"?service=a&tags=" + url.QueryEscape("a=\"\xff\""): "tags", "/xyz": "traceId", "/" + strings.Repeat("0", 32): "traceId",
		"/" + goodTrace + "/analysis?limit=1001": "limit", "/compare?a=1&b=" + goodTrace: "a", "/compare?a=" + goodTrace + "&b=" + strings.Repeat("0", 16): "b",
		"/services/%ff/operations": "service", "/services/%ff/comparison": "service",
		"/services/a/comparison?start=0&end=2700000": "start", "/dependencies?start=1&end=1.5": "start",
	} {
		got := get(t, base+"/api/v1/traces"+path)
		assert.Equal(t, http.StatusBadRequest, got.status, path)
		errs := got.problem(t).Errors
		require.NotEmpty(t, errs, path)
		assert.Equal(t, field, errs[0].Field, fmt.Sprint(path, errs))
	}
	assert.True(t, json.Valid([]byte(get(t, base+"/api/v1/traces?service=a").body)))
}
