package monitoringapiextension

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/problem"
)

const jsonType = "application/json"

// take attaches a handler that keeps what it is given and answers err.
func take(t testing.TB, m *monitoringAPI, err error) *[]api.CustomMetric {
	t.Helper()
	taken := &[]api.CustomMetric{}
	detach, attachErr := m.HandleCustomMetrics(component.MustNewID("custom_metrics"), func(_ context.Context, metrics api.CustomMetrics) error {
		*taken = append(*taken, metrics.Metrics...)
		return err
	})
	require.NoError(t, attachErr)
	t.Cleanup(detach)
	return taken
}

func post(t testing.TB, base, body string, headers ...string) answer {
	t.Helper()
	return do(t, http.MethodPost, base+"/api/v1/metrics/custom", body, append([]string{"Content-Type", jsonType}, headers...)...)
}

func TestBodyIsValidated(t *testing.T) {
	m, base := start(t, newTestStore(t, ""))
	taken := take(t, m, nil)
	tests := map[string]struct {
		body   string
		fields []string
		detail string
	}{
		"no body":             {"", []string{"body"}, "line 1, column 1: unexpected end of JSON input"},
		"no JSON":             {"{\n  \"metrics\": x}", []string{"body"}, "line 2, column 14: invalid character 'x'"},
		"cut short":           {`{"metrics": [`, []string{"body"}, "unexpected end of JSON input"},
		"two documents":       {`{"metrics":[]} {}`, []string{"body"}, "after top-level value"},
		"null":                {`null`, []string{"body"}, "not nullable"},
		"a list":              {`[]`, []string{"body"}, "must be an object"},
		"no metrics":          {`{}`, []string{"metrics"}, "must be given"},
		"metrics is null":     {`{"metrics":null}`, []string{"metrics"}, "not nullable"},
		"metric is no object": {`{"metrics":[1]}`, []string{"metrics[0]"}, "must be an object"},
		"no name":             {`{"metrics":[{"value":1}]}`, []string{"metrics[0].name"}, "must be given"},
		"other case":          {`{"metrics":[{"Name":"a","value":1}]}`, []string{"metrics[0].name"}, "must be given"},
		"value is text":       {`{"metrics":[{"name":"a","value":"1"}]}`, []string{"metrics[0].value"}, "must be a number"},
		"value is too large":  {`{"metrics":[{"name":"a","value":1e999}]}`, []string{"metrics[0].value"}, ""},
		"label is a number":   {`{"metrics":[{"name":"a","value":1,"labels":{"host":7}}]}`, []string{"metrics[0].labels.host"}, "must be a string"},
		"no such day":         {`{"metrics":[{"name":"a","value":1,"timestamp":"2025-02-30T00:00:00Z"}]}`, []string{"metrics[0].timestamp"}, "RFC 3339"},
		"before all days":     {`{"metrics":[{"name":"a","value":1,"timestamp":"0000-02-03T00:00:00Z"}]}`, []string{"metrics[0].timestamp"}, "the years 1 to 9999"},
		"behind all days":     {`{"metrics":[{"name":"a","value":1,"timestamp":"9999-12-31T23:59:59-01:00"}]}`, []string{"metrics[0].timestamp"}, "the years 1 to 9999"},
		"Unix time":           {`{"metrics":[{"name":"a","value":1,"timestamp":1750431603}]}`, []string{"metrics[0].timestamp"}, "must be a string"},
		"several faults": {
			`{"metrics":[{"name":"a","value":1},{"name":1,"value":true}]}`, []string{"metrics[1].name", "metrics[1].value"}, "",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := post(t, base, tt.body)
			assert.Equal(t, http.StatusBadRequest, got.status)
			var fields []string
			var details strings.Builder
			for _, f := range got.problem(t).Errors {
				fields = append(fields, f.Field)
				details.WriteString(f.Detail)
			}
			assert.ElementsMatch(t, tt.fields, fields, got.body)
			assert.Contains(t, details.String(), tt.detail)
			assert.NotContains(t, got.body, "Schema:")
		})
	}
	assert.Empty(t, *taken)
}

func TestBodyIsBoundByExactNames(t *testing.T) {
	m, base := start(t, newTestStore(t, ""))
	taken := take(t, m, nil)
	got := post(t, base, `{"metrics":[{"name":"a","NAME":"b","value":1.5,"VALUE":2,"labels":{"x":"y"},"timestamp":"2025-06-20T15:08:23.5Z"}]}`)
	assert.Equal(t, http.StatusCreated, got.status, got.body)
	require.Len(t, *taken, 1)
	metric := (*taken)[0]
	assert.Equal(t, "a", metric.Name)
	assert.InDelta(t, 1.5, metric.Value, 0)
	assert.Equal(t, map[string]string{"x": "y"}, *metric.Labels)
	assert.Equal(t, "2025-06-20 15:08:23.5 +0000 UTC", metric.Timestamp.String())
}

func TestBodyTypeAndSize(t *testing.T) {
	m, base := start(t, newTestStore(t, ""), func(c *Config) { c.MaxRequestBodySize = 100 })
	take(t, m, nil)
	valid := `{"metrics":[{"name":"a","value":1}]}`
	long := `{"metrics":[` + strings.Repeat(" ", 100) + `]}`
	packed, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	tests := map[string]struct {
		body    string
		headers []string
		status  int
		field   string
	}{
		"with a charset": {valid, []string{"Content-Type", "application/json; charset=utf-8"}, http.StatusCreated, ""},
		"text":           {valid, []string{"Content-Type", "text/plain"}, http.StatusUnsupportedMediaType, "Content-Type"},
		"no type":        {valid, []string{"Content-Type", ""}, http.StatusUnsupportedMediaType, "Content-Type"},
		"a form":         {valid, []string{"Content-Type", "application/x-www-form-urlencoded"}, http.StatusUnsupportedMediaType, "Content-Type"},
		"zstd":           {string(packed.EncodeAll([]byte(valid), nil)), []string{"Content-Encoding", "zstd"}, http.StatusCreated, ""},
		"snappy":         {valid, []string{"Content-Encoding", "snappy"}, http.StatusUnsupportedMediaType, "Content-Encoding"},
		"not gzip":       {valid, []string{"Content-Encoding", "gzip"}, http.StatusBadRequest, ""},
		"unknown coding": {valid, []string{"Content-Encoding", "br"}, http.StatusBadRequest, ""},
		"broken zstd":    {"xxxxxxxxxxxxxxxx", []string{"Content-Encoding", "zstd"}, http.StatusBadRequest, "body"},
		"too large":      {long, nil, http.StatusRequestEntityTooLarge, "body"},
		"a bomb":         {string(packed.EncodeAll([]byte(long), nil)), []string{"Content-Encoding", "zstd"}, http.StatusRequestEntityTooLarge, "body"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := post(t, base, tt.body, tt.headers...)
			require.Equal(t, tt.status, got.status, got.body)
			if tt.status == http.StatusCreated {
				return
			}
			d := got.problem(t)
			if tt.field != "" {
				assert.Equal(t, tt.field, d.Errors[0].Field)
			}
		})
	}
}

func TestHostileBodies(t *testing.T) {
	m, base := start(t, newTestStore(t, ""))
	take(t, m, nil)
	for name, tt := range map[string]struct {
		body   string
		status int
	}{
		"deep":                 {strings.Repeat("[", 1_000_000), http.StatusBadRequest},
		"a million faults":     {`{"metrics":[1` + strings.Repeat(",1", 1_000_000) + `]}`, http.StatusBadRequest},
		"more JSON than taken": {`{"metrics":[` + strings.Repeat(" ", maxJSON) + `]}`, http.StatusRequestEntityTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			got := post(t, base, tt.body)
			assert.Equal(t, tt.status, got.status)
			assert.Len(t, got.problem(t).Errors, 1)
			assert.Less(t, len(got.body), 1000)
		})
	}
}

func TestAtMostTwentyFaultsAreNamed(t *testing.T) {
	m, base := start(t, newTestStore(t, ""))
	take(t, m, nil)
	d := post(t, base, `{"metrics":[1`+strings.Repeat(",1", 29)+`]}`).problem(t)
	assert.Len(t, d.Errors, 20)
	assert.Contains(t, d.Detail, "30 faults")
}

// gate is an authenticator that lets nobody in.
type gate struct {
	component.StartFunc
	component.ShutdownFunc
}

func (gate) Authenticate(ctx context.Context, _ map[string][]string) (context.Context, error) {
	return ctx, errors.New("no credentials")
}

func TestAuthentication(t *testing.T) {
	id := component.MustNewID("gate")
	cfg := testConfig()
	cfg.Auth = configoptional.Some(confighttp.AuthConfig{Config: configauth.Config{AuthenticatorID: id}})
	m := newExtension(cfg, nopSettings())
	require.NoError(t, m.Start(t.Context(), host{storeID: newTestStore(t, ""), id: gate{}}))
	defer func() { require.NoError(t, m.Shutdown(context.Background())) }()
	for _, path := range []string{"/api/v1/health", "/api/docs", "/prometheus/api/v1/targets"} {
		got := get(t, "http://"+m.addr.String()+path)
		assert.Equal(t, http.StatusUnauthorized, got.status, path)
		assert.Equal(t, "no credentials", got.problem(t).Detail)
	}
}

func TestPathsAndMethods(t *testing.T) {
	_, base := start(t, newTestStore(t, ""))
	tests := []struct {
		method, path string
		status       int
		allow        string
	}{
		{http.MethodGet, "/api/v1/alert", http.StatusNotFound, ""},
		{http.MethodGet, "/nothing", http.StatusNotFound, ""},
		{http.MethodGet, "/prometheus/graph", http.StatusNotFound, ""},
		{http.MethodPost, "/api/v1/health", http.StatusMethodNotAllowed, "GET, HEAD"},
		{http.MethodDelete, "/api/v1/metrics/custom", http.StatusMethodNotAllowed, "POST"},
		{http.MethodPut, "/api/v1/health/services/x", http.StatusMethodNotAllowed, "GET, HEAD"},
		{http.MethodGet, "/api/v1/alerts/x/acknowledge", http.StatusMethodNotAllowed, "POST, DELETE"},
		{http.MethodGet, "/api/v1/alerts/x/nothing", http.StatusNotFound, ""},
		{http.MethodPatch, "/api/v1/alerts/rules/x", http.StatusMethodNotAllowed, "GET, HEAD, PUT, DELETE"},
		{http.MethodGet, "/api/v1/alerts/rules/x/enable", http.StatusMethodNotAllowed, "POST"},
		{"BREW", "/api/v1/metrics", http.StatusMethodNotAllowed, "GET, HEAD"},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			got := do(t, tt.method, base+tt.path, "")
			assert.Equal(t, tt.status, got.status)
			assert.Equal(t, tt.allow, got.header.Get("Allow"))
			assert.Contains(t, got.problem(t).Detail, tt.path)
		})
	}
}

func TestPanicsAreAnswered(t *testing.T) {
	_, base := start(t, newTestStore(t, ""))
	got := get(t, base+"/prometheus/api/v1/panic")
	assert.Equal(t, http.StatusInternalServerError, got.status)
	assert.Empty(t, got.problem(t).Detail)

	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/prometheus/api/v1/panic?late", http.NoBody)
	require.NoError(t, err)
	require.Error(t, roundTrip(req).err, "a cut answer does not pass for a whole one")
}

// Every kind of answer is what the document says.
func TestAnswersMatchTheDocument(t *testing.T) {
	store := newTestStore(t, series)
	m, base := start(t, store)
	document, err := newContract()
	require.NoError(t, err)
	tests := []struct{ pattern, path, body string }{
		{"GET /api/v1/metrics", "/api/v1/metrics?query=up&time=60", ""},
		{"GET /api/v1/metrics", "/api/v1/metrics?query=1", ""},
		{"GET /api/v1/metrics", "/api/v1/metrics?query=latency&start=0&end=60", ""},
		{"GET /api/v1/metrics", "/api/v1/metrics?query=up{", ""},
		{"GET /api/v1/metrics", "/api/v1/metrics?query=up*on()up&time=60", ""},
		{"GET /api/v1/metrics/targets", "/api/v1/metrics/targets", ""},
		{"GET /api/v1/health", "/api/v1/health", ""},
		{"GET /api/v1/health/services", "/api/v1/health/services", ""},
		{"GET /api/v1/health/services/{serviceId}", "/api/v1/health/services/none", ""},
		{"POST /api/v1/metrics/custom", "/api/v1/metrics/custom", `{"metrics":[]}`},
		{"POST /api/v1/metrics/custom", "/api/v1/metrics/custom", `{"metrics":1}`},
	}
	check := func(t *testing.T) {
		t.Helper()
		for _, tt := range tests {
			method, _, _ := strings.Cut(tt.pattern, " ")
			req, err := http.NewRequestWithContext(t.Context(), method, base+strings.ReplaceAll(tt.path, "{", "%7B"), strings.NewReader(tt.body))
			require.NoError(t, err)
			req.Header.Set("Content-Type", jsonType)
			got := send(t, req)
			err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
				RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, Route: document.route(tt.pattern)},
				Status:                 got.status, Header: got.header, Body: io.NopCloser(strings.NewReader(got.body)),
				Options: &openapi3filter.Options{IncludeResponseStatus: true},
			})
			assert.NoError(t, err, "%s %s: %d %s", method, tt.path, got.status, got.body)
		}
	}
	t.Run("without a custom_metrics receiver", check)
	t.Run("with one", func(t *testing.T) {
		take(t, m, nil)
		check(t)
	})
	t.Run("without a store", func(t *testing.T) {
		store.fail = io.ErrUnexpectedEOF
		check(t)
	})
}

func TestCustomMetricsHandlerErrors(t *testing.T) {
	m, base := start(t, newTestStore(t, ""))
	body := `{"metrics":[]}`
	t.Run("no receiver", func(t *testing.T) {
		got := post(t, base, body)
		assert.Equal(t, http.StatusNotFound, got.status)
		assert.Contains(t, got.problem(t).Detail, "custom_metrics")
	})
	t.Run("pipelines do not run", func(t *testing.T) {
		require.NoError(t, m.NotReady())
		got := post(t, base, body)
		require.NoError(t, m.Ready())
		assert.Equal(t, http.StatusServiceUnavailable, got.status)
		assert.Equal(t, "5", got.header.Get("Retry-After"))
	})
	t.Run("the receiver's problem", func(t *testing.T) {
		take(t, m, problem.Field(http.StatusUnprocessableEntity, "metrics[0]", "no"))
		got := post(t, base, body)
		assert.Equal(t, http.StatusUnprocessableEntity, got.status)
		assert.Equal(t, "metrics[0]", got.problem(t).Errors[0].Field)
	})
	t.Run("another error", func(t *testing.T) {
		take(t, m, io.ErrUnexpectedEOF)
		got := post(t, base, body)
		assert.Equal(t, http.StatusInternalServerError, got.status)
		assert.Empty(t, got.problem(t).Detail)
	})
	t.Run("a second receiver", func(t *testing.T) {
		take(t, m, nil)
		_, err := m.HandleCustomMetrics(component.MustNewID("second"), nil)
		assert.ErrorContains(t, err, `"custom_metrics" and "second"`)
	})
}

func FuzzCustomMetricsBody(f *testing.F) {
	for _, seed := range []string{
		`{"metrics":[{"name":"a","value":1,"labels":{"x":"y"},"timestamp":"2025-06-20T15:08:23Z"}]}`,
		`{"metrics":[{"name":"\u0000","value":-0,"labels":{}}]}`, `{"metrics":[{"name":"a","value":1e308}]}`, `[[[[[[`, `{"metrics":{}}`,
		"\xff\xfe", `{"metrics":[{"name":"\ud800","value":1e-400}]}`,
	} {
		f.Add([]byte(seed))
	}
	m, base := start(f, newTestStore(f, ""))
	take(f, m, nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/api/v1/metrics/custom", bytes.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", jsonType)
		got := send(t, req)
		switch got.status {
		case http.StatusCreated:
			if !json.Valid(body) {
				t.Fatalf("took %q", body)
			}
		case http.StatusBadRequest:
			if len(got.problem(t).Errors) == 0 {
				t.Fatalf("names no field: %s", got.body)
			}
		default:
			t.Fatalf("status %d for %q: %s", got.status, body, got.body)
		}
	})
}
