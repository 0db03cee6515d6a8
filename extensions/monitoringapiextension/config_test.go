package monitoringapiextension

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/evidence"
	"github.com/quantivista/monitoring/internal/servicehealth"
)

func load(t *testing.T, id string) (*Config, error) {
	t.Helper()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := conf.Sub(id)
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	return cfg, sub.Unmarshal(cfg)
}

func TestDefaults(t *testing.T) {
	cfg, err := load(t, "monitoring_api")
	require.NoError(t, err)
	require.NoError(t, xconfmap.Validate(cfg))
	assert.Equal(t, "localhost:8090", cfg.NetAddr.Endpoint)
	assert.Equal(t, component.MustNewID("metric_store"), cfg.MetricStore)
	assert.Greater(t, cfg.WriteTimeout, 2*time.Minute, "a query may take its 2 minutes")
	assert.Equal(t, cfg.WriteTimeout, cfg.ReadTimeout)
	assert.Empty(t, cfg.ScrapeAPI)
	assert.Equal(t, 10*time.Second, cfg.Jaeger.Timeout)
	assert.Equal(t, 30*time.Second, cfg.Loki.Timeout)
	assert.Equal(t, servicehealth.Settings{Interval: 30 * time.Second, Timeout: 20 * time.Second, DetailsInterval: time.Minute, ForgetAfter: time.Hour}, cfg.Health.settings())
	assert.Equal(t, servicehealth.AlertRules{Unhealthy: alert.Critical, Degraded: alert.High}, cfg.Health.rules().Alerts)
	assert.True(t, cfg.Evidence.Enabled)
	assert.Equal(t, evidence.DefaultSettings(), cfg.Evidence.settings())
	assert.Equal(t, []component.ID{cfg.MetricStore}, newExtension(cfg, nopSettings()).Dependencies())
}

func TestEveryKey(t *testing.T) {
	cfg, err := load(t, "monitoring_api/all")
	require.NoError(t, err)
	require.NoError(t, xconfmap.Validate(cfg))
	assert.Equal(t, "0.0.0.0:8090", cfg.NetAddr.Endpoint)
	assert.Equal(t, int64(1<<20), cfg.MaxRequestBodySize)
	assert.Equal(t, component.MustNewIDWithName("metric_store", "other"), cfg.MetricStore)
	require.Len(t, cfg.ScrapeAPI, 2)
	assert.Equal(t, "http://localhost:9090", cfg.ScrapeAPI[0].Endpoint)
	assert.Equal(t, defaultScrapeAPITimeout, cfg.ScrapeAPI[0].Timeout)
	assert.Equal(t, time.Second, cfg.ScrapeAPI[1].Timeout)
	assert.Equal(t, "http://loki:3100", cfg.Loki.Endpoint)
	assert.Equal(t, 4*time.Second, cfg.Loki.Timeout)
	assert.Equal(t, "jaeger:16685", cfg.Jaeger.Endpoint)
	assert.True(t, cfg.Jaeger.TLS.Insecure)
	assert.Equal(t, 3*time.Second, cfg.Jaeger.Timeout)
	assert.Equal(t, component.MustNewIDWithName("sql_store", "other"), cfg.SQLStore)
	assert.Equal(t, servicehealth.Settings{Interval: 10 * time.Second, Timeout: 5 * time.Second, ForgetAfter: 10 * time.Minute}, cfg.Health.settings())
	assert.Equal(t, servicehealth.Rules{
		Alerts:   servicehealth.AlertRules{Degraded: alert.Medium},
		Services: map[string]string{"http://shop:8080/health": "shop"},
		Checks: []servicehealth.Check{
			{Service: "shop", Name: "orders", Query: "rate(orders_total[5m]) < 0.1", Status: servicehealth.Degraded},
			{Name: "errors", Query: "errors:ratio > 0.1", Status: servicehealth.Unhealthy},
		},
	}, cfg.Health.rules())
	assert.False(t, cfg.Evidence.Enabled)
	assert.Equal(t, evidence.Settings{
		Interval: 10 * time.Second, FirstAfter: 15 * time.Second, AgainAfter: 10 * time.Minute, Settle: 5 * time.Second, RetryAfter: 2 * time.Minute,
		GiveUpAfter: 12 * time.Hour, Timeout: 5 * time.Second, Lookback: 30 * time.Minute, MaxWindow: 2 * time.Hour,
		Budget: evidence.Budget{Services: 1, Metrics: 2, Series: 3, Points: 4, Exemplars: 5, Traces: 6, Spans: 7, LogLines: 8, LogPatterns: 9, Bytes: 10},
	}, cfg.Evidence.settings())
	assert.Equal(t, "http://jaeger:16686/trace/{{ .TraceID }}", cfg.Evidence.Links.Trace)
	assert.Equal(t, []component.ID{cfg.MetricStore, cfg.SQLStore}, newExtension(cfg, nopSettings()).Dependencies())
}

func TestFaults(t *testing.T) {
	cfg, err := load(t, "monitoring_api/invalid")
	if err != nil {
		require.ErrorContains(t, err, "metric_store")
		cfg.MetricStore = component.ID{}
	}
	err = xconfmap.Validate(cfg)
	for _, key := range []string{`"endpoint" must be the address`, `"metric_store" must name`, "jaeger: \"timeout\" must be positive, is 0s", "missing port", `loki: "endpoint" must be Loki's base URL`, "scrape_api::0: \"endpoint\"", "scrape_api::1: \"timeout\"",
		`"interval" must be positive`, `"timeout" must be positive, is -1s`, `"details_interval" must not be negative`, `"forget_after" must be positive`,
		`"unhealthy" must be critical, high, medium, low, info or none, is "page"`, `"degraded" must be`,
		`evidence: "interval" must be positive`, `"again_after" must be more than "first_after", which is 1m0s, is 30s`, `"settle" must not be negative`,
		`"max_traces" must be from 1 to 100, is 0`, `"max_bytes" must be from 1 to 67108864`, `evidence::links: "trace" must be a Go text/template of a URL`,
		`it gives "jaeger/4bf92f3577b34da6a3ce929d0e0e4736"`, `"logs" must be`,
		`health::probes::0: "url" and "service" must be set`, `health::checks::0: "name" must tell`, `"status" must be degraded or unhealthy, is "healthy"`,
		`"query" must be PromQL: 1:6: parse error`, `health::checks::1: "query" must give an instant vector`,
	} {
		require.ErrorContains(t, err, key)
	}
}
