package alertmanagerextension

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/quantivista/monitoring/extensions/alertmanagerextension/internal/metadata"
)

func loadConfig(t *testing.T, id component.ID) *Config {
	t.Helper()
	file, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := file.Sub(id.String())
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, sub.Unmarshal(cfg))
	return cfg
}

func TestConfig(t *testing.T) {
	cfg := loadConfig(t, component.NewID(metadata.Type))
	require.NoError(t, xconfmap.Validate(cfg), "no file is read")
	assert.False(t, cfg.Cluster.HasValue())
	assert.Equal(t, 120*time.Hour, cfg.Retention)

	cfg = loadConfig(t, component.NewIDWithName(metadata.Type, "all"))
	require.NoError(t, xconfmap.Validate(cfg))
	assert.Equal(t, component.MustNewID("sql_store"), cfg.SQLStore)
	assert.Equal(t, LimitsConfig{Alerts: 1000, AlertsPerName: 100, Groups: 500, Silences: 50, SilenceSizeBytes: 4096, ConcurrentRequests: 8}, cfg.Limits)
	assert.Equal(t, ClusterConfig{
		ListenAddress: "0.0.0.0:9094", AdvertiseAddress: "10.0.0.7:9094", Peers: []string{"alertmanager-1:9094"}, PeerName: "zero", Label: "prod",
		PeerTimeout: 10 * time.Second, SettleTimeout: 30 * time.Second, GossipInterval: 100 * time.Millisecond,
		PushPullInterval: 20 * time.Second, TLSConfigFile: "/etc/alertmanager/cluster.yml",
	}, *cfg.Cluster.Get())
	loaded, err := cfg.load()
	require.NoError(t, err)
	assert.Empty(t, loaded.Templates())
}

func TestConfigFaults(t *testing.T) {
	for name, wants := range map[string][]string{
		"no_config":   {`"config_file" must be the path of an alertmanager.yml, or "config" its content`},
		"two_configs": {`"config_file" and "config" must not both be set`},
		"bad_config":  {`"config":4: undefined receiver "somebody" used in route`},
		"bad_values": {
			`"external_url" must be a URL`, `"reload_interval" must be positive`, `"sync_interval" must be positive`, `"restore_timeout" must not be negative`,
			`"retention" must be positive`, `"alert_gc_interval" must be positive`, `"limits::alerts" must be 0 for no limit, or positive, is -1`,
			`"listen_address" must be`, `"advertise_address" must be`, `"peers::0" must be`, `"peer_timeout" must be positive`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := xconfmap.Validate(loadConfig(t, component.NewIDWithName(metadata.Type, name)))
			for _, want := range wants {
				assert.ErrorContains(t, err, want)
			}
		})
	}
}
