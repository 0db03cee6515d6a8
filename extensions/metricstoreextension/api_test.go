package metricstoreextension

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/otlptranslator"
	prommetadata "github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	sdk "go.opentelemetry.io/otel/sdk/metric"

	"github.com/quantivista/monitoring/internal/metricstore"
)

// get gives status and body.
func get(t *testing.T, server *httptest.Server, path string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, http.NoBody)
	require.NoError(t, err)
	resp, err := server.Client().Do(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(body)
}

func serve(t *testing.T, store metricstore.Store) *httptest.Server {
	t.Helper()
	api, err := store.PrometheusAPI(metricstore.Companions{})
	require.NoError(t, err)
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	return server
}

func TestPrometheusAPI(t *testing.T) {
	cfg := testConfig(t)
	store := newEmbeddedStore(cfg, testSettings())
	server := serve(t, store)
	status, body := get(t, server, "/api/v1/query?query=up")
	assert.Equal(t, http.StatusServiceUnavailable, status, "before Start")
	assert.Equal(t, "Service Unavailable", body)

	require.NoError(t, store.Start(context.Background(), newTestHost()))
	now := time.Now()
	request := prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{
		Labels:  []prompb.Label{{Name: "__name__", Value: "written"}},
		Samples: []prompb.Sample{{Timestamp: now.UnixMilli(), Value: 3}},
	}}}
	data, err := request.Marshal()
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/api/v1/write", bytes.NewReader(snappy.Encode(nil, data)))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-protobuf")
	resp, err := server.Client().Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusNoContent, resp.StatusCode)

	status, body = get(t, server, "/api/v1/query?query=written")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, body, `"3"`)
	_, body = get(t, server, "/api/v1/status/tsdb")
	assert.Contains(t, body, `"numSeries":1`)
	assert.Contains(t, body, `"chunkCount":1`)
	_, body = get(t, server, "/api/v1/status/runtimeinfo")
	assert.Contains(t, body, `"storageRetention":"15d"`)
	_, body = get(t, server, "/api/v1/status/flags")
	assert.Contains(t, body, `"storage.tsdb.path":"`+cfg.Directory)
	_, body = get(t, server, "/api/v1/status/tsdb/blocks")
	assert.JSONEq(t, `{"status":"success","data":{"blocks":[]}}`, body)

	_, body = get(t, server, "/api/v1/features")
	for _, feature := range []string{`"remote_write_receiver":true`, `"otlp_write_receiver":false`, `"native_histograms":true`, `"exemplar_storage":true`, `"promql_functions":{`} {
		assert.Contains(t, body, feature)
	}

	store.SetMetadata("written", prommetadata.Metadata{Type: "gauge", Help: "What was written."})
	_, body = get(t, server, "/api/v1/metadata")
	assert.JSONEq(t, `{"status":"success","data":{"written":[{"type":"gauge","unit":"","help":"What was written."}]}}`, body)

	_, err = store.PrometheusAPI(metricstore.Companions{})
	require.NoError(t, err, "a second API of one store")
	require.NoError(t, store.Shutdown(context.Background()))
	status, _ = get(t, server, "/api/v1/query?query=written")
	assert.Equal(t, http.StatusServiceUnavailable, status, "after Shutdown")
}

// A query that loads the whole store at 10,000 steps ends within its limits, and ingestion goes on beside it.
func TestAQueryBomb(t *testing.T) {
	cfg := testConfig(t)
	cfg.Query.MaxSamples = 5_000
	store, _ := startStore(t, cfg)
	server := serve(t, store)
	now := time.Now()
	for minute := range 30 {
		require.NoError(t, write(store, batch("load", 0, 1000, now.Add(time.Duration(minute-30)*time.Minute))...))
	}
	form := url.Values{"query": {`{__name__=~".+"}`}, "start": {now.Add(-30 * 24 * time.Hour).Format(time.RFC3339)}, "end": {now.Format(time.RFC3339)}, "step": {"259"}}
	status, body := get(t, server, "/api/v1/query_range?"+form.Encode())
	assert.Equal(t, http.StatusUnprocessableEntity, status)
	var answer struct {
		ErrorType string `json:"errorType"`
		Error     string `json:"error"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &answer))
	assert.Equal(t, "execution", answer.ErrorType)
	assert.Contains(t, answer.Error, "too many samples")
	require.NoError(t, write(store, batch("load", 0, 1000, now)...))
}

func TestTelemetryHasTheTSDBsNames(t *testing.T) {
	registry := prometheus.NewRegistry()
	exporter, err := otelprom.New(otelprom.WithRegisterer(registry), otelprom.WithoutScopeInfo(), otelprom.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithoutSuffixes))
	require.NoError(t, err)
	provider := sdk.NewMeterProvider(sdk.WithReader(exporter))
	t.Cleanup(func() { require.NoError(t, provider.Shutdown(context.Background())) })

	store, _ := startStore(t, testConfig(t), func(s *embeddedStore) { s.set.MeterProvider = provider })
	require.NoError(t, write(store, sample{up, time.Now(), 1}))
	instant(t, store, "up", time.Now())
	var values map[string]float64
	require.Eventually(t, func() bool {
		values = gatherValues(t, registry)
		// A vector that had no metric when the store started follows from the second collection on.
		return values["prometheus_tsdb_head_samples_appended_total"] == 1
	}, soon, often)
	assert.InDelta(t, 1, values["prometheus_tsdb_head_series"], 0)
	assert.InDelta(t, 20, values["prometheus_engine_queries_concurrent_max"], 0)
	assert.Contains(t, values, "prometheus_engine_query_duration_seconds_count")
}

// gatherValues sums up each family.
func gatherValues(t *testing.T, g prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := g.Gather()
	require.NoError(t, err)
	values := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			values[family.GetName()] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return values
}
