package custommetricsreceiver

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
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

func TestConfig(t *testing.T) {
	for id, want := range map[string]*Config{
		"custom_metrics":     {API: component.MustNewID("monitoring_api"), MaxMetricsPerRequest: 10_000},
		"custom_metrics/all": {API: component.MustNewIDWithName("monitoring_api", "other"), MaxMetricsPerRequest: 500},
	} {
		cfg, err := load(t, id)
		require.NoError(t, err)
		require.NoError(t, xconfmap.Validate(cfg))
		assert.Equal(t, want, cfg)
	}
}

func TestConfigFaults(t *testing.T) {
	_, err := load(t, "custom_metrics/invalid")
	require.ErrorContains(t, err, "api")
	err = xconfmap.Validate(&Config{})
	require.ErrorContains(t, err, `"api" must name`)
	require.ErrorContains(t, err, `"max_metrics_per_request" must be positive, is 0`)
}
