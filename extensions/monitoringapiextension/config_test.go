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
	assert.Equal(t, component.MustNewIDWithName("sql_store", "other"), cfg.SQLStore)
	assert.Equal(t, []component.ID{cfg.MetricStore, cfg.SQLStore}, newExtension(cfg, nopSettings()).Dependencies())
}

func TestFaults(t *testing.T) {
	cfg, err := load(t, "monitoring_api/invalid")
	if err != nil {
		require.ErrorContains(t, err, "metric_store")
		cfg.MetricStore = component.ID{}
	}
	err = xconfmap.Validate(cfg)
	for _, key := range []string{`"endpoint" must be the address`, `"metric_store" must name`, "scrape_api::0: \"endpoint\"", "scrape_api::1: \"timeout\""} {
		require.ErrorContains(t, err, key)
	}
}
