package alertruleprocessor

import (
	"path/filepath"
	"testing"
	"time"

	_ "github.com/prometheus/prometheus/discovery/file" // as the prometheus receiver does
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/quantivista/monitoring/processors/alertruleprocessor/internal/metadata"
)

func load(t *testing.T, name string) *Config {
	t.Helper()
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
}

func TestAllKeys(t *testing.T) {
	cfg := load(t, "all")
	require.NoError(t, xconfmap.Validate(cfg))
	assert.Equal(t, component.MustNewIDWithName("metric_store", "long_term"), cfg.MetricStore)
	assert.Equal(t, component.MustNewIDWithName("monitoring_api", "other"), cfg.API)
	assert.Equal(t, []string{"/etc/rules/*.yaml", "more.yaml"}, cfg.RuleFiles)
	assert.Equal(t, 10*time.Second, cfg.ReloadInterval)
	assert.Equal(t, time.Minute, cfg.EvaluationInterval)
	assert.EqualValues(t, 8, cfg.Concurrency)
	assert.Equal(t, map[string]string{"cluster": "eu-1"}, cfg.ExternalLabels)
	assert.Equal(t, "https://monitoring.example.com/prometheus", cfg.ExternalURL)
	assert.Equal(t, []time.Duration{2 * time.Hour, 5 * time.Minute, 30 * time.Minute, 2 * time.Minute},
		[]time.Duration{cfg.ForOutageTolerance, cfg.ForGracePeriod, cfg.AlertOutageTolerance, cfg.ResendDelay})
	assert.Equal(t, 500, cfg.MaxWaiting)
	assert.Equal(t, "info", cfg.DefaultSeverity)
	assert.Equal(t, "critical", cfg.SeverityMap["emergency"])
	assert.Equal(t, "low", cfg.SeverityMap["warning"])
	assert.Equal(t, "critical", cfg.SeverityMap["page"], "the default map is added to")

	external, err := cfg.external()
	require.NoError(t, err)
	assert.False(t, external.Empty())
}

func TestValidateNamesEveryKey(t *testing.T) {
	err := xconfmap.Validate(load(t, "bad"))
	for _, want := range []string{
		`"rule_files::0" must be a path`, `"rule_files::1" must be`, `"reload_interval" must be positive, is 0s`,
		`"evaluation_interval" must be positive, is -1s`, `"concurrency" must not be negative`, `"external_labels": "__name__"`, `"external_url" must be a URL`,
		`"for_grace_period" must not be negative`, `"alert_outage_tolerance" must not be negative`, `"resend_delay" must be positive`, `"max_waiting_alerts" must be positive, is 0`,
		`"severity_map::page": severity must be one of critical`, `"default_severity": severity must be one of`, `"alertmanagers`,
	} {
		assert.ErrorContains(t, err, want)
	}
	none := createDefaultConfig().(*Config)
	none.MetricStore = component.ID{}
	assert.ErrorContains(t, none.Validate(), `"metric_store" must name a metric_store extension`)
	for want, am := range map[string]map[string]any{
		"static_configs must name the targets": {"timeout": "5s"},
		"tls_confg":                            {"tls_confg": map[string]any{}},
		"is not a valid hostname":              {"static_configs": []any{map[string]any{"targets": []any{"http://x"}}}},
		"only static_configs are known":        {"file_sd_configs": []any{map[string]any{"files": []any{"x.yaml"}}}},
	} {
		cfg := createDefaultConfig().(*Config)
		cfg.Alertmanagers = []map[string]any{am}
		assert.ErrorContains(t, cfg.Validate(), want)
	}
}

func TestStartNamesWhatIsMissing(t *testing.T) {
	p, err := newProcessor(createDefaultConfig().(*Config), processortest.NewNopSettings(metadata.Type), &next{})
	require.NoError(t, err)
	err = p.Start(t.Context(), componenttest.NewNopHost())
	require.ErrorContains(t, err, `"metric_store"`)
	require.ErrorContains(t, err, "service::extensions")
	require.NoError(t, p.Shutdown(t.Context()))
}
