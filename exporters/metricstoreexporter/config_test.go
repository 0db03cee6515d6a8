package metricstoreexporter

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/quantivista/monitoring/exporters/metricstoreexporter/internal/metadata"
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
	assert.False(t, cfg.QueueConfig.HasValue(), "a queue would acknowledge what is not yet in the store")
	assert.False(t, cfg.RetryConfig.Enabled)
}

func TestAllKeys(t *testing.T) {
	cfg := load(t, "all")
	require.NoError(t, xconfmap.Validate(cfg))
	assert.Equal(t, component.MustNewIDWithName("metric_store", "long_term"), cfg.MetricStore)
	assert.Equal(t, "NoUTF8EscapingWithSuffixes", cfg.TranslationStrategy)
	assert.Equal(t, []string{"process.pid"}, cfg.IgnoreResourceAttributes)
	assert.True(t, cfg.PromoteAllResourceAttributes && cfg.KeepIdentifyingResourceAttributes && cfg.PromoteScopeMetadata)
	assert.True(t, cfg.ConvertHistogramsToNHCB && cfg.DisableTargetInfo && cfg.CreatedTimestampZeroIngestion)
	assert.Equal(t, 500_000, cfg.SeriesCache.MaxSeries)
	assert.EqualValues(t, 100, cfg.QueueConfig.Get().QueueSize)
	assert.True(t, cfg.RetryConfig.Enabled)
}

func TestValidateNamesEveryKey(t *testing.T) {
	err := xconfmap.Validate(load(t, "bad"))
	for _, want := range []string{`"translation_strategy" must be one of UnderscoreEscapingWithSuffixes`, `"promote_all_resource_attributes"`, `"series_cache::max_series" must be positive`} {
		assert.ErrorContains(t, err, want)
	}
	cfg := createDefaultConfig().(*Config)
	cfg.IgnoreResourceAttributes = []string{"x"}
	assert.ErrorContains(t, cfg.Validate(), `"ignore_resource_attributes" needs "promote_all_resource_attributes: true"`)
}
