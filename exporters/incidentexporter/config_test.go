package incidentexporter

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/quantivista/monitoring/exporters/incidentexporter/internal/metadata"
)

func load(t *testing.T, name string) *Config {
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := conf.Sub(component.NewIDWithName(metadata.Type, name).String())
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, sub.Unmarshal(cfg))
	return cfg
}

func TestDefaultConfig(t *testing.T) {
	cfg := load(t, "")
	require.NoError(t, xconfmap.Validate(cfg))
	assert.Equal(t, createDefaultConfig(), cfg)
	assert.True(t, cfg.QueueConfig.HasValue())
	assert.True(t, cfg.RetryConfig.Enabled)
	assert.Zero(t, cfg.RetryConfig.MaxElapsedTime, "an outage may last")
}

func TestAllKeys(t *testing.T) {
	cfg := load(t, "all")
	require.NoError(t, xconfmap.Validate(cfg))
	assert.Equal(t, component.MustNewIDWithName("sql_store", "main"), cfg.SQLStore)
	assert.Equal(t, component.MustNewID("alertmanager"), cfg.Alertmanager)
	assert.Equal(t, []string{"service", "team"}, cfg.CorrelationLabels)
	assert.Equal(t, "high", cfg.MinSeverity)
	assert.Equal(t, "{{ .Labels.team }}: {{ .Name }}", cfg.TitleTemplate)
	assert.Equal(t, []time.Duration{5 * time.Minute, 30 * time.Minute, 15 * time.Minute, time.Minute, 15 * time.Minute, 2 * time.Minute, 10 * time.Second},
		[]time.Duration{cfg.QuietPeriod, cfg.ReopenWindow, cfg.FlapWindow, cfg.SweepInterval, cfg.ExpiryGrace, cfg.MaxClockSkew, cfg.TimeoutConfig.Timeout})
	assert.Equal(t, &ServiceGraphConfig{
		MetricStore: component.MustNewIDWithName("metric_store", "traces"), MaxHops: 3, Window: 15 * time.Minute,
		RefreshInterval: time.Minute, Timeout: 5 * time.Second,
	}, cfg.ServiceGraph.Get())
	assert.Equal(t, "90d", cfg.Retention.String())
	assert.Equal(t, component.MustNewID("file_storage"), *cfg.QueueConfig.Get().StorageID)
	assert.Equal(t, time.Minute, cfg.RetryConfig.MaxInterval)
}

func TestValidateNamesEveryKey(t *testing.T) {
	cfg := load(t, "bad")
	cfg.SQLStore, cfg.ServiceGraph.Get().MetricStore = component.ID{}, component.ID{}
	err := xconfmap.Validate(cfg)
	for _, want := range []string{
		`"sql_store" must name`, `"correlation_labels::0"`, `"min_severity": severity must be one of`, `"title_template" must be`,
		`"quiet_period"`, `"reopen_window"`, `"flap_window"`, `"sweep_interval" must be positive`, `"expiry_grace"`, `"max_clock_skew"`,
		`"service_graph::metric_store" must name`, `"service_graph::max_hops" must be between 1 and 10, is 11`, `"service_graph::window" must be at least 1m`,
		`"service_graph::refresh_interval" must be positive`, `"service_graph::timeout" must be positive`,
		`"correlation_labels" must have service where "service_graph" is set`,
	} {
		assert.ErrorContains(t, err, want)
	}
}

func TestServiceGraphIsOffUnlessItIsSet(t *testing.T) {
	assert.False(t, load(t, "").ServiceGraph.HasValue())
	cfg := load(t, "graph")
	require.NoError(t, xconfmap.Validate(cfg))
	assert.Equal(t, &ServiceGraphConfig{
		MetricStore: component.MustNewID("metric_store"), MaxHops: 2, Window: time.Hour, RefreshInterval: 30 * time.Second, Timeout: 10 * time.Second,
	}, cfg.ServiceGraph.Get())
	cfg.CorrelationLabels = []string{"service", "1", "2", "3", "4", "5", "6", "7"}
	require.ErrorContains(t, xconfmap.Validate(cfg), `"correlation_labels" must have at most 6 labels beside service where "service_graph" is set, has 7`)
}

func TestRetentionIsLongEnough(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	assert.Equal(t, "1y", cfg.Retention.String())
	cfg.Retention = model.Duration(59 * time.Minute)
	require.ErrorContains(t, xconfmap.Validate(cfg), `"retention" must be 0 (for ever) or at least 1h0m0s`)
	cfg.Retention = 0
	require.NoError(t, xconfmap.Validate(cfg))
}
