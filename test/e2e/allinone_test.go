package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
)

const allInOne = "all-in-one.yaml"

func TestShippedConfigurationsValidate(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(configs, "*.yaml"))
	require.NoError(t, err)
	// An alertmanager.yml is no configuration of a collector; those above refer to it, and TestAmtool starts with it.
	files = slices.DeleteFunc(files, func(file string) bool { return filepath.Base(file) == "alertmanager.yaml" })
	require.Len(t, files, 7)
	for _, file := range files {
		out, err := exec.CommandContext(t.Context(), binary(t), "validate", "--config", file).CombinedOutput()
		assert.NoError(t, err, "%s: %s", file, out)
	}
	formats, err := filepath.Glob(filepath.Join(configs, "logging", "*.yaml"))
	require.NoError(t, err)
	require.Len(t, formats, len(formatSamples))
	for _, file := range formats {
		for _, base := range []string{"all-in-one.yaml", "gateway.yaml"} {
			out, err := exec.CommandContext(t.Context(), binary(t), "validate", "--config", filepath.Join(configs, base), "--config", file).CombinedOutput()
			assert.NoError(t, err, "%s on %s: %s", file, base, out)
		}
	}
}

// TestMetricsInPromQLOut goes the ways of a newcomer, one after another, on one collector.
func TestMetricsInPromQLOut(t *testing.T) {
	t.Parallel()
	c := startCollector(t, allInOne, scrapingOften())
	for _, way := range []struct {
		name string
		test func(*testing.T, *collector)
	}{
		{"this collector is up", testUp},
		{"host metrics", testHostMetrics},
		{"an SDK's metrics", testSDK},
		{"a scraped exporter", testScraped},
		{"a custom metric", testCustom},
		{"spans become metrics", testSpanMetrics},
		{"its own telemetry", testTelemetry},
		{"health", testHealth},
		{"the API's documentation", testDocs},
		{"errors are problems", testProblems},
	} {
		t.Run(way.name, func(t *testing.T) { way.test(t, c) })
	}
}

func testUp(t *testing.T, c *collector) {
	up := c.awaitSeries("up")
	require.Len(t, up, 1)
	assert.Equal(t, map[string]string{"__name__": "up", "job": "otelcol-quantivista", "instance": c.instance()}, up[0].Metric)
	assert.InDelta(t, 1, up[0].Value.value, 0)
}

// instance is the address that the collector scrapes itself at.
func (c *collector) instance() string { return fmt.Sprintf("localhost:%d", c.telemetry) }

func testHostMetrics(t *testing.T, c *collector) {
	hostname, err := os.Hostname()
	require.NoError(t, err)
	for _, name := range []string{
		"system_cpu_time_seconds_total", "system_memory_usage_bytes", "system_cpu_load_average_1m", "system_filesystem_usage_bytes",
	} {
		found := c.awaitSeries(name)
		assert.Equal(t, "host", found[0].Metric["job"], name)
		assert.Equal(t, hostname, found[0].Metric["instance"], name)
	}
}

func testSDK(t *testing.T, c *collector) {
	overHTTP, err := otlpmetrichttp.New(t.Context(), otlpmetrichttp.WithEndpointURL(at(c.otlpHTTP, "/v1/metrics")))
	require.NoError(t, err)
	overGRPC, err := otlpmetricgrpc.New(t.Context(), otlpmetricgrpc.WithEndpointURL(at(c.otlpGRPC, "")))
	require.NoError(t, err)
	for instance, exporter := range map[string]sdkmetric.Exporter{"over-http": overHTTP, "over-grpc": overGRPC} {
		t.Run(instance, func(t *testing.T) {
			record(t, exporter, instance)
			identity := fmt.Sprintf(`job="demo/shop", instance=%q`, instance)
			assert.InDelta(t, 3, c.number(`orders_placed_total{`+identity+`, payment_method="card"}`), 0)
			assert.InDelta(t, 1, c.number(`http_server_request_duration_seconds_bucket{`+identity+`, le="1"}`), 0)
			assert.InDelta(t, 0, c.number(`http_server_request_duration_seconds_bucket{`+identity+`, le="0.1"}`), 0)
			assert.InDelta(t, 0.25, c.number(`http_server_request_duration_seconds_sum{`+identity+`}`), 0)
			assert.InDelta(t, 1, c.number(`target_info{`+identity+`, deployment_environment_name="test"}`), 0)
		})
	}
}

// record measures something, and has the SDK's last export acknowledged.
func record(t *testing.T, exporter sdkmetric.Exporter, instance string) {
	t.Helper()
	provider := sdkmetric.NewMeterProvider(
		sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter)),
		sdkmetric.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "shop"), attribute.String("service.namespace", "demo"), attribute.String("service.instance.id", instance),
			attribute.String("deployment.environment.name", "test"))))
	meter := provider.Meter("shop")
	orders, err := meter.Int64Counter("orders.placed", metric.WithUnit("{order}"))
	require.NoError(t, err)
	duration, err := meter.Float64Histogram("http.server.request.duration", metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(0.1, 1))
	require.NoError(t, err)
	orders.Add(t.Context(), 3, metric.WithAttributes(attribute.String("payment.method", "card")))
	duration.Record(t.Context(), 0.25)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, provider.Shutdown(ctx), "the SDK's export is acknowledged")
}

func testScraped(t *testing.T, c *collector) {
	exposition := strings.Join([]string{
		"# HELP widgets_made_total Widgets.", "# TYPE widgets_made_total counter", `widgets_made_total{line="a"} 7`,
		"# TYPE queue_wait_seconds histogram", `queue_wait_seconds_bucket{le="1"} 2`, `queue_wait_seconds_bucket{le="+Inf"} 3`,
		"queue_wait_seconds_sum 4.5", "queue_wait_seconds_count 3", "# TYPE room_celsius gauge", "room_celsius 21.5", "",
	}, "\n")
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = io.WriteString(w, exposition)
	}))
	c.t.Cleanup(target.Close) // It outlives this way: the health counts its service.
	address := strings.TrimPrefix(target.URL, "http://")
	file := fmt.Sprintf("- targets: [%q]\n  labels: {job: factory}\n", address)
	require.NoError(t, os.WriteFile(filepath.Join(c.data, "targets", "factory.yaml"), []byte(file), 0o600))

	identity := fmt.Sprintf(`job="factory", instance=%q`, address)
	c.awaitSeries(`widgets_made_total{` + identity + `}`)
	assert.InDelta(t, 7, c.number(`widgets_made_total{`+identity+`, line="a"}`), 0)
	assert.InDelta(t, 2, c.number(`queue_wait_seconds_bucket{`+identity+`, le="1.0"}`), 0, "le as Prometheus 3 writes it")
	assert.InDelta(t, 21.5, c.number(`room_celsius{`+identity+`}`), 0)
	assert.InDelta(t, 1, c.number(`up{`+identity+`}`), 0)

	var targets []struct {
		TargetURL, Health, ScrapeInterval, ScrapeTimeout string
		LastScrape                                       time.Time
		Labels                                           map[string]string
	}
	getJSON(t, at(c.api, "/api/v1/metrics/targets"), &targets)
	require.Len(t, targets, 2)
	for _, got := range targets {
		assert.Equal(t, "up", got.Health, got.TargetURL)
		assert.Equal(t, "1s", got.ScrapeInterval)
		assert.WithinDuration(t, time.Now(), got.LastScrape, patience)
		if got.Labels["job"] == "factory" {
			assert.Equal(t, target.URL+"/metrics", got.TargetURL)
		}
	}
}

func testCustom(t *testing.T, c *collector) {
	c.post(at(c.api, "/api/v1/metrics/custom"), "application/json",
		[]byte(`{"metrics": [{"name": "batch_rows_loaded", "value": 1234, "labels": {"job": "nightly", "table": "orders"}}]}`))
	found := c.query("batch_rows_loaded")
	require.Len(t, found, 1)
	assert.Equal(t, map[string]string{"__name__": "batch_rows_loaded", "job": "nightly", "table": "orders"}, found[0].Metric)
	assert.InDelta(t, 1234, found[0].Value.value, 0)
}

func testSpanMetrics(t *testing.T, c *collector) {
	c.sendSpan("frontend")
	found := c.awaitSeries(`traces_span_metrics_calls_total{service_name="frontend"} or traces_span_metrics_calls_total{job="frontend"}`)
	assert.Equal(t, "checkout", found[0].Metric["span_name"])
}

func testTelemetry(t *testing.T, c *collector) {
	status, text := get(t, at(c.telemetry, "/metrics"))
	require.Equal(t, http.StatusOK, status)
	for _, name := range []string{
		"prometheus_tsdb_head_series", "prometheus_tsdb_head_samples_appended_total", "prometheus_engine_queries", "otelcol_process_uptime",
	} {
		assert.Contains(t, text, "\n"+name)
	}
	assert.Positive(t, c.awaitSeries("prometheus_tsdb_head_series")[0].Value.value)
}

func testHealth(t *testing.T, c *collector) {
	var health struct {
		Status    string
		Timestamp time.Time
		Services  struct{ Total, Healthy, Degraded, Unhealthy int }
	}
	getJSON(t, at(c.api, "/api/v1/health"), &health)
	assert.Equal(t, "healthy", health.Status)
	assert.WithinDuration(t, time.Now(), health.Timestamp, patience)
	assert.GreaterOrEqual(t, health.Services.Total, 3, "this collector, the shop, the factory")

	var services []struct{ ID, Name, Status string }
	getJSON(t, at(c.api, "/api/v1/health/services"), &services)
	states := map[string]string{}
	for _, service := range services {
		states[service.Name] = service.Status
	}
	assert.Equal(t, "healthy", states["otelcol-quantivista"], "%v", services)
	assert.Contains(t, states, "demo/shop", "%v", services)
}

func testDocs(t *testing.T, c *collector) {
	status, page := get(t, at(c.api, "/api/docs"))
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, page, "<html")
	status, contract := get(t, at(c.api, "/api/openapi.yaml"))
	assert.Equal(t, http.StatusOK, status)
	shipped, err := os.ReadFile(filepath.Join("..", "..", "api", "openapi.yaml"))
	require.NoError(t, err)
	assert.Equal(t, string(shipped), contract)
}

func testProblems(t *testing.T, c *collector) {
	resp, body, err := tryRequestFull(client, http.MethodGet, at(c.api, "/api/v1/metrics?query=sum(up"), "", nil, nil)
	require.NoError(t, err)
	p := requireProblem(t, http.StatusBadRequest, resp, body)
	require.Len(t, p.Errors, 1)
	assert.Equal(t, "query", p.Errors[0].Field)
	assert.Contains(t, p.Errors[0].Detail, "1:", "the position in the expression")

	custom, err := json.Marshal(map[string]any{"metrics": []any{map[string]any{"name": "0bad", "value": 1}}})
	require.NoError(t, err)
	resp, body, err = tryRequestFull(client, http.MethodPost, at(c.api, "/api/v1/metrics/custom"), "application/json", custom, nil)
	require.NoError(t, err)
	p = requireProblem(t, http.StatusBadRequest, resp, body)
	require.Len(t, p.Errors, 1)
	assert.Equal(t, "metrics[0].name", p.Errors[0].Field)
}
