package metricstoreextension

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/rules"
	apiv1 "github.com/prometheus/prometheus/web/api/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/quantivista/monitoring/internal/metricstore"
)

// answering gives the URL of a server with one answer.
func answering(t *testing.T, status int, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, err := io.WriteString(w, body)
		assert.NoError(t, err)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestErrorsOfRemoteAPIs(t *testing.T) {
	for name, tt := range map[string]struct {
		status  int
		body    string
		want    error
		message string
	}{
		"Prometheus, time-out":     {503, `{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}`, metricstore.ErrTimeout, "timed out"},
		"Prometheus, canceled":     {499, `{"status":"error","errorType":"canceled","error":"query was canceled"}`, metricstore.ErrCanceled, ""},
		"Prometheus, too many":     {422, `{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}`, metricstore.ErrTooManySamples, ""},
		"Prometheus, many-to-many": {422, `{"status":"error","errorType":"execution","error":"many-to-many matching not allowed"}`, metricstore.ErrExecution, "many-to-many"},
		"Prometheus, too long":     {400, `{"status":"error","errorType":"bad_data","error":"exceeded maximum resolution of 11,000 points per timeseries"}`, metricstore.ErrExecution, "11,000"},
		"Prometheus, starting":     {503, "Service Unavailable", metricstore.ErrUnavailable, "503 Service Unavailable"},
		"Mimir, limit":             {422, `{"status":"error","errorType":"execution","error":"the query exceeded the maximum number of chunks (limit: 2000000 chunks) (err-mimir-max-chunks-per-query)"}`, metricstore.ErrTooManySamples, ""},
		"Mimir, no tenant":         {401, "no org id\n", metricstore.ErrUnavailable, "401 Unauthorized: no org id"},
		"VictoriaMetrics, limit":   {422, `{"status":"error","errorType":"422","error":"cannot process more than -search.maxUniqueTimeseries=300000 time series"}`, metricstore.ErrTooManySamples, ""},
		"a proxy":                  {502, "<html>" + strings.Repeat("bad gateway ", 100), metricstore.ErrUnavailable, "<html>bad gateway"},
		"a web page":               {200, "<html>welcome</html>", metricstore.ErrUnavailable, "welcome"},
		"an unknown result":        {200, `{"status":"success","data":{"resultType":"cube","result":[]}}`, metricstore.ErrUnavailable, "cube"},
		"a broken result":          {200, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"x"]}]}}`, metricstore.ErrUnavailable, "vector"},
	} {
		t.Run(name, func(t *testing.T) {
			store, _ := startRemote(t, answering(t, tt.status, tt.body))
			_, err := store.Query(context.Background(), "up", time.Now())
			require.ErrorIs(t, err, tt.want)
			require.ErrorContains(t, err, tt.message)
			assert.Less(t, len(err.Error()), 400)
		})
	}
}

func TestSyntaxErrorsOfRemoteAPIs(t *testing.T) {
	// MetricsQL, of which Prometheus' parser knows nothing here, and no position.
	store, _ := startRemote(t, answering(t, 422, `{"status":"error","errorType":"422","error":"cannot parse"}`))
	_, err := store.Query(context.Background(), "sum(", time.Now())
	var syntax *metricstore.SyntaxError
	require.ErrorAs(t, err, &syntax)
	assert.Equal(t, 4, syntax.Start)

	// A newer PromQL refuses what ours takes.
	for message, want := range map[string]metricstore.SyntaxError{
		`invalid parameter \"query\": 1:3: parse error: no such thing`: {Message: "no such thing", Start: 2, End: 2, Line: 1, Column: 3},
		`invalid parameter \"query\": 2:2: parse error: no such thing`: {Message: "no such thing", Start: 6, End: 6, Line: 2, Column: 2},
		`invalid parameter \"query\": 7:1: parse error: no such thing`: {Message: "no such thing", Start: -1, End: -1},
		`invalid parameter \"query\": parse error: several\nthings`:    {Message: "several\nthings", Start: -1, End: -1},
		`99999999999999999999:1: parse error: too far`:                 {Message: "too far", Start: -1, End: -1},
	} {
		store, _ := startRemote(t, answering(t, 400, `{"status":"error","errorType":"bad_data","error":"`+message+`"}`))
		_, err := store.Query(context.Background(), "up +\nup", time.Now())
		require.ErrorAs(t, err, &syntax, message)
		assert.Equal(t, want, *syntax, message)
	}
}

func TestARemoteAPIThatIsDown(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	store, host := startRemote(t, server.URL)
	assert.Equal(t, componentstatus.StatusOK, host.status(), "it may come up later")
	_, err := store.Query(context.Background(), "up", time.Now())
	require.ErrorIs(t, err, metricstore.ErrUnavailable)

	api, err := store.PrometheusAPI(metricstore.Companions{})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/query?query=up", http.NoBody))
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.JSONEq(t, `{"status":"error","errorType":"unavailable","error":"the remote API cannot be reached"}`, w.Body.String())
}

func TestARemoteStoreIsReadOnly(t *testing.T) {
	store, _ := startRemote(t, answering(t, 200, "{}"))
	require.ErrorIs(t, write(store, sample{up, time.Now(), 1}), metricstore.ErrReadOnly)
	require.NoError(t, store.Shutdown(context.Background()))
	_, err := store.Query(context.Background(), "up", time.Now())
	require.ErrorIs(t, err, metricstore.ErrUnavailable)
}

func TestTheProxy(t *testing.T) {
	var got *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		w.Header().Set("Content-Type", "application/json")
		_, err := io.WriteString(w, "remote "+r.URL.RequestURI())
		assert.NoError(t, err)
	}))
	defer server.Close()
	cfg := createDefaultConfig().(*Config)
	client := cfg.Remote.GetOrInsertDefault()
	client.Endpoint = server.URL + "/prometheus"
	client.Headers.Set("X-Scope-OrgID", configopaque.String("ours"))
	store := newRemoteStore(cfg, testSettings())
	api, err := store.PrometheusAPI(metricstore.Companions{
		Targets: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "our targets") }),
		Rules:   func(context.Context) apiv1.RulesRetriever { return someRules{} },
	})
	require.NoError(t, err)

	ask := func(method, target string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(context.Background(), method, target, http.NoBody)
		r.Header.Set("Authorization", "Bearer the caller's")
		r.Header.Set("Cookie", "session=the caller's")
		r.Header.Set("X-Scope-OrgID", "theirs")
		r.Header.Set("Accept", "application/json")
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		return w
	}
	assert.Equal(t, http.StatusServiceUnavailable, ask(http.MethodGet, "/api/v1/query?query=up").Code, "before Start")
	require.NoError(t, store.Start(context.Background(), newTestHost()))
	defer func() { require.NoError(t, store.Shutdown(context.Background())) }()

	assert.Equal(t, "remote /prometheus/api/v1/query?query=up", ask(http.MethodGet, "/api/v1/query?query=up").Body.String())
	assert.Equal(t, []string{"ours"}, got.Header.Values("X-Scope-OrgID"))
	assert.Empty(t, got.Header.Get("Authorization"))
	assert.Empty(t, got.Header.Get("Cookie"))
	assert.Equal(t, "application/json", got.Header.Get("Accept"))

	for target, want := range map[string]string{
		"/api/v1/label/U__http_2e_method/values?limit=1": "remote /prometheus/api/v1/label/U__http_2e_method/values?limit=1",
		"/api/v1/status/buildinfo":                       "remote /prometheus/api/v1/status/buildinfo",
		"/api/v1/targets?state=active":                   "our targets",
		"/api/v1/scrape_pools":                           "our targets",
		"/api/v1/rules":                                  `{"status":"success","data":{"groups":[]}}`,
		"/api/v1/alerts":                                 `{"status":"success","data":{"alerts":[]}}`,
	} {
		assert.Equal(t, want, ask(http.MethodGet, target).Body.String(), target)
	}
	for _, tt := range []struct {
		method, target string
		want           int
	}{
		{http.MethodPost, "/api/v1/write", http.StatusForbidden},
		{http.MethodPost, "/api/v1/otlp/v1/metrics", http.StatusForbidden},
		{http.MethodPost, "/api/v1/admin/tsdb/delete_series", http.StatusForbidden},
		{http.MethodDelete, "/api/v1/series", http.StatusMethodNotAllowed},
		{http.MethodGet, "/api/v1/label/../admin/values", http.StatusForbidden},
		{http.MethodGet, "/api/v1/label/%2e%2e%2fadmin/values", http.StatusForbidden},
	} {
		w := ask(tt.method, tt.target)
		assert.Equal(t, tt.want, w.Code, "%s %s", tt.method, tt.target)
		assert.Contains(t, w.Body.String(), `"status":"error"`)
	}
}

// someRules is a rule manager without rules.
type someRules struct{}

func (someRules) RuleGroups() []*rules.Group           { return nil }
func (someRules) AlertingRules() []*rules.AlertingRule { return nil }
