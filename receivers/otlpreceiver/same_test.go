package otlpreceiver

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/pprofile/pprofileotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	collector "go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// refusals are what a pipeline may answer.
func refusals(t *testing.T) map[string]error {
	errs := map[string]error{
		"nothing":   nil,
		"an error":  errors.New("the queue is full"),
		"permanent": consumererror.NewPermanent(errors.New("no such tenant")),
		"wrapped":   fmt.Errorf("exporter: %w", status.Error(codes.ResourceExhausted, "slow down")),
	}
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		errs[code.String()] = status.Error(code, "told by "+code.String())
		delayed, err := status.New(code, "later").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(13 * time.Second)})
		require.NoError(t, err)
		errs[code.String()+" with a delay"] = delayed.Err()
	}
	return errs
}

// TestAnswersAsTheCollectorsReceiverOverHTTP sends the same requests to both receivers: answers, and what comes out, must not
// differ, nor what they count.
func TestAnswersAsTheCollectorsReceiverOverHTTP(t *testing.T) {
	limit := func(cfg *Config) { cfg.HTTP.Get().ServerConfig.MaxRequestBodySize = 20_000 }
	ours, theirs := start(t, NewFactory(), limit), start(t, collector.NewFactory(), limit)

	same := func(path, method, contentType, encoding string, body []byte) (code int) {
		t.Helper()
		told := fmt.Sprintf("%s %s, %q, %q, %.100q", method, path, contentType, encoding, body)
		want := send(t, "http://"+theirs.http+path, method, contentType, encoding, body)
		got := send(t, "http://"+ours.http+path, method, contentType, encoding, body)
		require.Equal(t, want, got, told)
		require.Equal(t, theirs.take(), ours.take(), told)
		return got.code
	}

	for path, bodies := range validRequests(t) {
		for _, method := range []string{"GET", "PUT", "POST"} {
			for _, contentType := range []string{protobufType, jsonType, "application/json; charset=utf-8", "Application/X-Protobuf", "text/plain", "no type", ""} {
				for _, encoding := range []string{"", "gzip", "zstd", "br"} {
					for _, body := range [][]byte{nil, []byte("{}"), []byte("{"), []byte("\x0a\xff"), bodies.proto, bodies.json, packed(t, bodies.proto), packed(t, bodies.json)} {
						same(path, method, contentType, encoding, body)
					}
				}
			}
		}
		assert.Equal(t, 200, same(path, "POST", protobufType, "gzip", packed(t, bodies.proto)))
		assert.Equal(t, 200, same(path, "POST", jsonType, "", bodies.json))
		assert.Equal(t, 404, same(path+"/more", "POST", protobufType, "", bodies.proto))
		same(path, "POST", protobufType, "", bytes.Repeat([]byte("x"), 20_001))
		same(path, "POST", protobufType, "gzip", packed(t, bytes.Repeat(bodies.proto, 400)))

		for name, err := range refusals(t) {
			ours.refuseWith(err)
			theirs.refuseWith(err)
			code := same(path, "POST", protobufType, "", bodies.proto)
			same(path, "POST", jsonType, "", bodies.json)
			assert.Equal(t, err == nil, code == 200, name)
		}
		ours.refuseWith(nil)
		theirs.refuseWith(nil)
	}
	requireSameCounts(t, ours, theirs)
}

// TestCodesOfTheServer are those by which confighttp, or an authenticator, may refuse a request.
func TestCodesOfTheServer(t *testing.T) {
	for code, want := range map[int]codes.Code{
		400: codes.InvalidArgument, 401: codes.Unauthenticated, 403: codes.PermissionDenied, 404: codes.Unimplemented, 413: codes.Unknown,
		429: codes.ResourceExhausted, 500: codes.Unknown, 502: codes.Unavailable, 503: codes.Unavailable, 504: codes.Unavailable,
	} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/metrics", nil)
		req.Header.Set("Content-Type", jsonType)
		w := httptest.NewRecorder()
		writeServerError(w, req, "refused", code)
		assert.Equal(t, code, w.Code)
		assert.JSONEq(t, fmt.Sprintf(`{"code": %d, "message": "refused"}`, want), w.Body.String())
	}
}

// TestAnswersAsTheCollectorsReceiverOverGRPC is the same by the other protocol.
func TestAnswersAsTheCollectorsReceiverOverGRPC(t *testing.T) {
	ours, theirs := start(t, NewFactory(), nil), start(t, collector.NewFactory(), nil)
	for path, bodies := range validRequests(t) {
		for name, err := range refusals(t) {
			ours.refuseWith(err)
			theirs.refuseWith(err)
			want := call(t, theirs.grpc, path, bodies.proto)
			got := call(t, ours.grpc, path, bodies.proto)
			require.Equal(t, want, got, "%s: %s", path, name)
			require.Equal(t, err == nil, got.code == codes.OK, "%s: %s", path, name)
			taken := ours.take()
			require.Equal(t, theirs.take(), taken, path)
			require.Len(t, taken, 1)
		}
		require.Equal(t, call(t, theirs.grpc, path, nil), call(t, ours.grpc, path, nil), "empty: %s", path)
		require.Empty(t, ours.take())
	}
	requireSameCounts(t, ours, theirs)

	broken := func(address string) error {
		return dial(t, address).Invoke(t.Context(), "/"+metricsServiceName+"/Export", &raw{[]byte("\x0a\xff")}, &raw{})
	}
	require.Error(t, broken(theirs.grpc))
	require.Equal(t, broken(theirs.grpc).Error(), broken(ours.grpc).Error())
}

// raw is sent as it is.
type raw struct{ bytes []byte }

func (r *raw) SizeProto() int              { return len(r.bytes) }
func (r *raw) MarshalProto(buf []byte) int { return copy(buf, r.bytes) }
func (r *raw) UnmarshalProto(b []byte) error {
	r.bytes = bytes.Clone(b)
	return nil
}

func dial(t *testing.T, address string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

type called struct {
	code             codes.Code
	message, details string
	answer           []byte
}

// call sends a request of a path's signal as an exporter does.
func call(t *testing.T, address, path string, body []byte) called {
	t.Helper()
	var answer interface{ MarshalProto() ([]byte, error) }
	var err error
	switch conn := dial(t, address); path {
	case "/v1/traces":
		req := ptraceotlp.NewExportRequest()
		require.NoError(t, req.UnmarshalProto(body))
		answer, err = ptraceotlp.NewGRPCClient(conn).Export(t.Context(), req)
	case "/v1/metrics":
		req := pmetricotlp.NewExportRequest()
		require.NoError(t, req.UnmarshalProto(body))
		answer, err = pmetricotlp.NewGRPCClient(conn).Export(t.Context(), req)
	case "/v1/logs":
		req := plogotlp.NewExportRequest()
		require.NoError(t, req.UnmarshalProto(body))
		answer, err = plogotlp.NewGRPCClient(conn).Export(t.Context(), req)
	case profilesURLPath:
		req := pprofileotlp.NewExportRequest()
		require.NoError(t, req.UnmarshalProto(body))
		answer, err = pprofileotlp.NewGRPCClient(conn).Export(t.Context(), req)
	}
	s := status.Convert(err)
	c := called{code: s.Code(), message: s.Message(), details: fmt.Sprint(s.Details())}
	if err == nil {
		c.answer, err = answer.MarshalProto()
		require.NoError(t, err)
	}
	return c
}

type answered struct {
	code                    int
	contentType, retryAfter string
	body                    string
}

func send(t *testing.T, url, method, contentType, encoding string, body []byte) answered {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	require.NoError(t, err)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answered{resp.StatusCode, resp.Header.Get("Content-Type"), resp.Header.Get("Retry-After"), string(answer)}
}

func packed(t *testing.T, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(body)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func requireSameCounts(t *testing.T, ours, theirs *running) {
	t.Helper()
	for _, name := range []string{"spans", "metric_points", "log_records"} {
		for _, outcome := range []string{"accepted", "refused", "failed"} {
			name := strings.Join([]string{"otelcol_receiver", outcome, name}, "_")
			want, err := theirs.telemetry.GetMetric(name)
			require.NoError(t, err)
			got, err := ours.telemetry.GetMetric(name)
			require.NoError(t, err)
			metricdatatest.AssertEqual(t, want, got, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
		}
	}
}

type encodings struct{ proto, json []byte }

// validRequests has one for each path.
func validRequests(t *testing.T) map[string]encodings {
	t.Helper()
	bodies := map[string]encodings{}
	for path, request := range map[string]interface {
		UnmarshalJSON([]byte) error
		MarshalProto() ([]byte, error)
		MarshalJSON() ([]byte, error)
	}{
		"/v1/traces":    ptraceotlp.NewExportRequest(),
		"/v1/metrics":   pmetricotlp.NewExportRequest(),
		"/v1/logs":      plogotlp.NewExportRequest(),
		profilesURLPath: pprofileotlp.NewExportRequest(),
	} {
		require.NoError(t, request.UnmarshalJSON([]byte(readable[path])), path)
		proto, err := request.MarshalProto()
		require.NoError(t, err)
		json, err := request.MarshalJSON()
		require.NoError(t, err)
		bodies[path] = encodings{proto, json}
	}
	return bodies
}

// readable is telemetry of each path.
var readable = map[string]string{
	"/v1/traces": `{"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
		"scopeSpans": [{"spans": [{"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "pay",
			"startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661000000000"}, {"name": "ship"}]}]}]}`,
	"/v1/metrics": `{"resourceMetrics": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
		"scopeMetrics": [{"scope": {"name": "shop"}, "metrics": [
			{"name": "orders", "sum": {"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": [
				{"asInt": "3", "timeUnixNano": "1544712660000000000", "attributes": [{"key": "region", "value": {"stringValue": "eu"}}]},
				{"asInt": "4", "timeUnixNano": "1544712660000000000", "attributes": [{"key": "region", "value": {"intValue": "1"}}]}]}},
			{"name": "open", "gauge": {"dataPoints": [{"asDouble": 1.5, "timeUnixNano": "1544712660000000000"}]}},
			{"name": "seconds", "histogram": {"aggregationTemporality": 2, "dataPoints": [
				{"count": "2", "sum": 2, "bucketCounts": ["1", "1"], "explicitBounds": [1], "timeUnixNano": "1544712660000000000"}]}}]}]}]}`,
	"/v1/logs": `{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": "1544712660300000000", "severityText": "WARN",
		"body": {"stringValue": "the card was refused"}}]}]}]}`,
	profilesURLPath: `{"resourceProfiles": [{"scopeProfiles": [{"profiles": [{"samples": [{"values": ["1"]}]}]}]}]}`,
}
