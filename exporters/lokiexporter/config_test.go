package lokiexporter

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/quantivista/monitoring/exporters/lokiexporter/internal/metadata"
)

// load gives one block of testdata/config.yaml over the defaults.
func load(t *testing.T, name string) *Config {
	t.Helper()
	file, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	block, err := file.Sub(component.NewIDWithName(metadata.Type, name).String())
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, block.Unmarshal(cfg))
	return cfg
}

func TestValidBlocks(t *testing.T) {
	require.NoError(t, xconfmap.Validate(load(t, "")), "without an endpoint")

	gateway := load(t, "gateway")
	require.NoError(t, xconfmap.Validate(gateway))
	assert.Equal(t, []LabelConfig{
		{Name: "service_name", From: []Source{"resource.service.name"}, Default: "unknown_service"},
		{Name: "cluster", From: []Source{"resource.k8s.cluster.name", "record.cluster"}},
	}, gateway.Labels, "a list takes the place of the default one")
	assert.Equal(t, 256<<10, gateway.Limits.LineSize)
	assert.Equal(t, 4<<20, gateway.Limits.PushSize)

	require.NoError(t, xconfmap.Validate(load(t, "tenants")))
}

func TestFaultsAreNamedByKey(t *testing.T) {
	err := xconfmap.Validate(load(t, "faulty"))
	for _, fault := range []string{
		`"endpoint" must be`, `"compression" must be left out`, `"timeout" must not be`, `"headers" and "tenant" both`,
		`"tenant::from::0" must be resource.`, `"labels::0::name" must be letters`, `"labels::1::from::0" must be`,
		`"labels::2::name" "twice" is there already`, `"labels::2" must have "from"`, `"cardinality::max_values"`,
		`"cardinality::window"`, `"limits::line_size"`, `"limits::push_size"`,
	} {
		require.ErrorContains(t, err, fault)
	}
	require.NotContains(t, err.Error(), "secret")
}

func TestPushURL(t *testing.T) {
	for endpoint, want := range map[string]string{
		"http://loki:3100":                           "http://loki:3100/loki/api/v1/push",
		"http://loki:3100/":                          "http://loki:3100/loki/api/v1/push",
		"https://gw/tenant":                          "https://gw/tenant/loki/api/v1/push",
		"https://logs.example.org/loki/api/v1/push":  "https://logs.example.org/loki/api/v1/push",
		"https://logs.example.org/loki/api/v1/push/": "https://logs.example.org/loki/api/v1/push",
	} {
		got, err := pushURL(endpoint)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for _, endpoint := range []string{"loki:3100", "ftp://loki", "http://", "%"} {
		_, err := pushURL(endpoint)
		require.ErrorContains(t, err, "http://localhost:3100", endpoint)
	}
}
