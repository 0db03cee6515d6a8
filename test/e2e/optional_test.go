package e2e

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/golang/snappy"
	"github.com/grafana/loki/pkg/push"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

func TestTracesAndLogsWithoutEndpointsAreCountedAndDropped(t *testing.T) {
	t.Parallel()
	c := startCollector(t, allInOne, scrapingOften())
	for range 3 {
		c.sendSpan("shop")
		c.sendLog("shop", "order placed")
	}
	for _, counter := range []string{"otelcol_exporter_discarded_spans", "otelcol_exporter_discarded_log_records"} {
		c.awaitSeries(`{__name__=~"` + counter + `(_total)?"} == 3`)
	}
	assert.Len(t, c.log().lines("Dropping traces: no endpoint is set", "JAEGER_ENDPOINT"), 1, "one line for all traces")
	assert.Len(t, c.log().lines("Dropping logs: no endpoint is set", "LOKI_ENDPOINT"), 1, "one line for all logs")
}

func TestTracesAndLogsArriveAtTheirEndpoints(t *testing.T) {
	t.Parallel()
	jaeger, loki := newSink(t), newSink(t)
	c := startCollector(t, allInOne, withEnv("JAEGER_ENDPOINT="+jaeger.URL, "LOKI_ENDPOINT="+loki.URL))
	c.sendSpan("shop")
	c.sendLog("shop", "order placed")
	c.post(at(c.loki, "/loki/api/v1/push"), "application/json",
		[]byte(`{"streams": [{"stream": {"app": "till"}, "values": [["`+unixNano()+`", "till opened"]]}]}`))

	traces := ptraceotlp.NewExportRequest()
	require.NoError(t, traces.UnmarshalProto(jaeger.await(t, "/v1/traces", 1)[0]))
	assert.Equal(t, "checkout", traces.Traces().ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Name())

	var texts []string
	await(t, "both log records", func() error {
		texts = nil
		for _, body := range loki.await(t, "/loki/api/v1/push", 1) {
			texts = append(texts, pushedTexts(t, body)...)
		}
		return missing(texts, "order placed", "till opened")
	})
	assert.Empty(t, c.log().lines("Dropping"))
}

// pushedTexts gives the lines of a push to Loki.
func pushedTexts(t *testing.T, body []byte) (texts []string) {
	t.Helper()
	plain, err := snappy.Decode(nil, body)
	require.NoError(t, err)
	var request push.PushRequest
	require.NoError(t, request.Unmarshal(plain))
	for _, stream := range request.Streams {
		for _, entry := range stream.Entries {
			texts = append(texts, entry.Line)
		}
	}
	return texts
}

// sink is a server that keeps the bodies that it is sent, by their path.
type sink struct {
	*httptest.Server
	mu     sync.Mutex
	bodies map[string][][]byte
}

func newSink(t *testing.T) *sink {
	t.Helper()
	return newSinkAt(t, freePort(t))
}

func newSinkAt(t *testing.T, port int) *sink {
	t.Helper()
	s := &sink{bodies: map[string][][]byte{}}
	listener, err := net.Listen("tcp", net.JoinHostPort("localhost", strconv.Itoa(port)))
	require.NoError(t, err)
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(gunzipped(r))
		if !assert.NoError(t, err) {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.bodies[r.URL.Path] = append(s.bodies[r.URL.Path], body)
	}))
	s.Listener = listener
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// await waits for so many requests to a path.
func (s *sink) await(t *testing.T, path string, requests int) (bodies [][]byte) {
	t.Helper()
	await(t, path, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		bodies = slices.Clone(s.bodies[path])
		return atLeast(len(bodies), requests)
	})
	return bodies
}
