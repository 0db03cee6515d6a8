package alertreceiver

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/quantivista/monitoring/receivers/alertreceiver/internal/metadata"
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
	assert.Equal(t, component.MustNewIDWithName("monitoring_api", "other"), cfg.API)
	assert.Equal(t, 10*time.Minute, cfg.ResolveTimeout)
	assert.Equal(t, 500, cfg.MaxAlertsPerRequest)
	assert.Equal(t, "critical", cfg.SeverityMap["emergency"])
	assert.Equal(t, "critical", cfg.SeverityMap["page"], "the default map is added to")
	assert.Equal(t, "low", cfg.DefaultSeverity)
}

func TestValidateNamesEveryKey(t *testing.T) {
	cfg := load(t, "invalid")
	cfg.API = component.ID{}
	err := xconfmap.Validate(cfg)
	for _, want := range []string{
		`"api" must name a monitoring_api extension`, `"resolve_timeout" must be positive, is 0s`, `"max_alerts_per_request" must be positive`,
		`"severity_map::page": severity must be one of`, `"default_severity": severity must be one of`,
	} {
		assert.ErrorContains(t, err, want)
	}
}
