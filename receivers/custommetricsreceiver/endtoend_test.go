package custommetricsreceiver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/quantivista/monitoring/exporters/metricstoreexporter"
	"github.com/quantivista/monitoring/extensions/metricstoreextension"
	"github.com/quantivista/monitoring/extensions/monitoringapiextension"
	"github.com/quantivista/monitoring/receivers/custommetricsreceiver"
)

type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

// run starts a component, and stops it at the end of the test.
func run(t testing.TB, h component.Host, c component.Component) {
	t.Helper()
	require.NoError(t, c.Start(context.Background(), h))
	t.Cleanup(func() { assert.NoError(t, c.Shutdown(context.Background())) })
}

// startCollector runs store, API, exporter and this receiver, and gives the API's base URL.
func startCollector(t testing.TB) string {
	t.Helper()
	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := free.Addr().String()
	require.NoError(t, free.Close())

	h := host{}
	storeFactory := metricstoreextension.NewFactory()
	storeConfig := storeFactory.CreateDefaultConfig().(*metricstoreextension.Config)
	storeConfig.Directory = t.TempDir()
	h[component.MustNewID("metric_store")] = create(t, h, storeFactory, storeConfig)

	apiFactory := monitoringapiextension.NewFactory()
	apiConfig := apiFactory.CreateDefaultConfig().(*monitoringapiextension.Config)
	apiConfig.NetAddr.Endpoint = address
	server := create(t, h, apiFactory, apiConfig)
	h[component.MustNewID("monitoring_api")] = server

	exporterFactory := metricstoreexporter.NewFactory()
	exporter, err := exporterFactory.CreateMetrics(t.Context(), exportertest.NewNopSettings(exporterFactory.Type()), exporterFactory.CreateDefaultConfig())
	require.NoError(t, err)
	run(t, h, exporter)

	factory := custommetricsreceiver.NewFactory()
	receiver, err := factory.CreateMetrics(t.Context(), receivertest.NewNopSettings(factory.Type()), factory.CreateDefaultConfig(), exporter)
	require.NoError(t, err)
	run(t, h, receiver)
	require.NoError(t, server.(extensioncapabilities.PipelineWatcher).Ready())
	return "http://" + address
}

func create(t testing.TB, h component.Host, factory extension.Factory, cfg component.Config) extension.Extension {
	t.Helper()
	ext, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	run(t, h, ext)
	return ext
}

func do(t testing.TB, method, target string, body []byte) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, target, bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	read, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(read)
}

// series gives the labels of what a query finds.
func series(t *testing.T, base, query string) []map[string]string {
	t.Helper()
	status, body := do(t, http.MethodGet, base+"/api/v1/metrics?query="+url.QueryEscape(query), nil)
	require.Equal(t, http.StatusOK, status, body)
	var answer struct {
		Data struct {
			Result []struct{ Metric map[string]string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &answer))
	var found []map[string]string
	for _, r := range answer.Data.Result {
		found = append(found, r.Metric)
	}
	return found
}

func TestPostedMetricsAreFoundUnderTheirNames(t *testing.T) {
	base := startCollector(t)
	status, body := do(t, http.MethodPost, base+"/api/v1/metrics/custom", []byte(`{"metrics":[
		{"name":"cpu_usage_percent","value":78.5,"labels":{"service":"trading-engine"}},
		{"name":"orders_total","value":3,"labels":{"job":"shop/cart","instance":"a","zone":"z"}},
		{"name":"a:rule:sum","value":1}]}`))
	require.Equal(t, http.StatusCreated, status, body)

	assert.Equal(t, []map[string]string{{"__name__": "cpu_usage_percent", "service": "trading-engine"}}, series(t, base, "cpu_usage_percent == 78.5"))
	assert.Equal(t, []map[string]string{{"__name__": "orders_total", "job": "shop/cart", "instance": "a", "zone": "z"}}, series(t, base, "orders_total == 3"))
	assert.Equal(t, []map[string]string{{"__name__": "a:rule:sum"}}, series(t, base, "a:rule:sum"))
	assert.Len(t, series(t, base, `{__name__=~".+"}`), 3, "nothing else was stored")
}

func TestRefusedMetricsAreNotStored(t *testing.T) {
	base := startCollector(t)
	for _, body := range []string{
		`{"metrics":[{"name":"good","value":1},{"name":"bad name","value":1}]}`,
		`{"metrics":[{"name":"good","value":1},{"name":"good","value":"x"}]}`,
		`{"metrics":[{"name":"good","value":1}`,
	} {
		status, answer := do(t, http.MethodPost, base+"/api/v1/metrics/custom", []byte(body))
		assert.Equal(t, http.StatusBadRequest, status, answer)
	}
	assert.Empty(t, series(t, base, `{__name__=~".+"}`))
}

func TestOneMetricTooOldRefusesTheRequest(t *testing.T) {
	base := startCollector(t)
	status, body := do(t, http.MethodPost, base+"/api/v1/metrics/custom", []byte(`{"metrics":[{"name":"first","value":1}]}`))
	require.Equal(t, http.StatusCreated, status, body)
	status, body = do(t, http.MethodPost, base+"/api/v1/metrics/custom", []byte(`{"metrics":[
		{"name":"good","value":1},{"name":"old","value":1,"timestamp":"2001-01-01T00:00:00Z"}]}`))
	assert.Equal(t, http.StatusUnprocessableEntity, status, body)
	assert.Contains(t, body, "too_old")
	assert.Empty(t, series(t, base, "good"), "half of a refused request was stored")
}

func FuzzPost(f *testing.F) {
	for _, seed := range []string{
		`{"metrics":[{"name":"a","value":1,"labels":{"x":"y","job":"j"},"timestamp":"2025-06-20T15:08:23Z"}]}`,
		`{"metrics":[{"name":"a","value":1,"timestamp":"1970-01-01T00:00:00Z"},{"name":"a","value":2,"timestamp":"9999-12-31T23:59:59Z"}]}`,
		`{"metrics":[{"name":"a","value":-1e308},{"name":"a","value":1e-308}]}`, `{"metrics":[{"name":"a","value":1,"labels":null}]}`,
		`{"metrics":[{"name":"__name__","value":1,"labels":{"le":"1","quantile":"x","":""}}]}`, `{`, "\x00",
	} {
		f.Add([]byte(seed))
	}
	base := startCollector(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		if status, answer := do(t, http.MethodPost, base+"/api/v1/metrics/custom", body); status >= http.StatusInternalServerError {
			t.Fatalf("status %d for %q: %s", status, body, answer)
		}
	})
}
