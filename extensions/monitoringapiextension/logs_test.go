package monitoringapiextension

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// askingLoki configures the extension with a Loki that has these answers by path; it answers 404 to others.
func askingLoki(t *testing.T, answers map[string]string) func(*Config) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		body, ok := answers[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return at(server.URL)
}

func at(endpoint string) func(*Config) {
	return func(c *Config) { c.Loki.Endpoint = endpoint }
}

func TestLogs(t *testing.T) {
	_, base := start(t, newTestStore(t, ""), askingLoki(t, map[string]string{
		"/loki/api/v1/query_range": `{"data":{"resultType":"streams","result":[{"stream":{"service_name":"shop","severity":"error"},
			"values":[["1750432103123456789","card declined",{"structuredMetadata":{"trace_id":"4bf9","span_id":"00f0"},"parsed":{"a":"b"}}]]}]}}`,
		"/loki/api/v1/labels":                    `{"data":["severity","service_name"]}`,
		"/loki/api/v1/label/service_name/values": `{"data":["shop","cart"]}`,
		"/loki/api/v1/patterns":                  `{"data":[{"pattern":"card <_>","level":"error","samples":[[1750431600,3]]}]}`,
		"/loki/api/v1/index/volume":              `{"data":{"resultType":"vector","result":[{"metric":{"service_name":"shop"},"value":[1750431600,"77"]}]}}`,
	}))
	for path, want := range map[string]string{
		"?query={a=\"b\"}": `{"status":"success","data":{"resultType":"lines","lines":[{"timestamp":"2025-06-20T15:08:23.123456789Z",
			"line":"card declined","severity":"error","traceId":"4bf9","spanId":"00f0","labels":{"service_name":"shop","severity":"error"},
			"metadata":{"trace_id":"4bf9","span_id":"00f0"},"parsed":{"a":"b"}}]}}`,
		"/labels":                                  `["service_name","severity"]`,
		"/labels/service_name/values":              `["cart","shop"]`,
		"/patterns?query={}":                       `[{"pattern":"card <_>","level":"error","total":3,"samples":[[1750431600,"3"]]}]`,
		"/volume?query={}&by=service_name&limit=5": `[{"labels":{"service_name":"shop"},"bytes":77}]`,
	} {
		got := get(t, base+"/api/v1/logs"+path)
		require.Equal(t, http.StatusOK, got.status, "%s: %s", path, got.body)
		assert.JSONEq(t, want, got.body, path)
	}
}

func TestALogQueryMayGiveSeries(t *testing.T) {
	_, base := start(t, newTestStore(t, ""), askingLoki(t, map[string]string{
		"/loki/api/v1/query_range": `{"data":{"resultType":"matrix","result":[{"metric":{},"values":[[1750431600,"0.2"],[1750431660.5,"NaN"]]}]}}`,
	}))
	got := get(t, base+"/api/v1/logs?step=1m&direction=forward&limit=1&query="+url.QueryEscape(`sum(rate({a="b"}[1m]))`))
	require.Equal(t, http.StatusOK, got.status, got.body)
	assert.JSONEq(t, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1750431600,"0.2"],[1750431660.5,"NaN"]]}]}}`, got.body)
}

func TestFaultyQuestionsAboutLogs(t *testing.T) {
	_, base := start(t, newTestStore(t, ""), askingLoki(t, nil))
	for path, field := range map[string]string{
		"":                         "query",
		"?query=x&limit=0":         "limit",
		"?query=x&direction=up":    "direction",
		"?query=x&step=0s":         "step",
		"?query=x&start=soon":      "start",
		"?query=x&start=20&end=10": "start",
		"?query=%ff":               "query",
		"/labels?query=%ff":        "query",
		"/labels/a/values?end=x":   "end",
		"/labels/%ff/values":       "name",
		"/patterns":                "query",
		"/volume?query=x&by=%ff":   "by",
	} {
		got := get(t, base+"/api/v1/logs"+path)
		require.Equal(t, http.StatusBadRequest, got.status, "%s: %s", path, got.body)
		assert.Contains(t, got.body, `"field":"`+field+`"`, path)
	}
	got := get(t, base+"/api/v1/logs/patterns?query={}")
	require.Equal(t, http.StatusNotFound, got.status)
	assert.Contains(t, got.body, "Loki does not offer this")
}

func TestLokisRefusalsArePassedOn(t *testing.T) {
	status, text := 0, ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		http.Error(w, text, status)
	}))
	t.Cleanup(server.Close)
	_, base := start(t, newTestStore(t, ""), at(server.URL))
	for _, tc := range []struct {
		status int
		text   string
		want   int
		body   string
	}{
		{400, "parse error at line 1, col 3: syntax error", 400, `"errors":[{"field":"query","detail":"parse error at line 1, col 3: syntax error"}]`},
		{400, "the query time range exceeds the limit", 400, `"detail":"Loki refuses the request: the query time range exceeds the limit"`},
		{422, "too many series", 422, "too many series"},
		{429, "too many outstanding requests", 429, "too many outstanding requests"},
		{401, "no org id", 502, "Loki does not answer: it answers HTTP status 401: no org id"},
		{500, "broken", 502, "broken"},
		{504, "too long", 504, "Loki does not answer in time"},
	} {
		status, text = tc.status, tc.text
		got := get(t, base+"/api/v1/logs?query=x")
		require.Equal(t, tc.want, got.status, got.body)
		assert.Equal(t, "application/problem+json", got.header.Get("Content-Type"))
		assert.Contains(t, got.body, tc.body)
	}
}

func TestLokiIsAwaySlowOrNotThere(t *testing.T) {
	_, base := start(t, newTestStore(t, ""))
	got := get(t, base+"/api/v1/logs/labels")
	require.Equal(t, http.StatusNotFound, got.status)
	assert.Contains(t, got.body, `loki::endpoint`)

	_, base = start(t, newTestStore(t, ""), at(gone(t)))
	got = get(t, base+"/api/v1/logs/volume?query={}")
	require.Equal(t, http.StatusBadGateway, got.status)
	assert.Contains(t, got.body, "Loki does not answer")

	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(slow.Close)
	_, base = start(t, newTestStore(t, ""), at(slow.URL), func(c *Config) { c.Loki.Timeout = 20 * time.Millisecond })
	for _, path := range []string{"?query=x", "/labels", "/labels/a/values", "/patterns?query=x", "/volume?query=x"} {
		got = get(t, base+"/api/v1/logs"+path)
		require.Equal(t, http.StatusGatewayTimeout, got.status, path)
		assert.Contains(t, got.body, "Loki does not answer in time")
	}
}
