package optionalotlpexporter

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"

	"github.com/quantivista/monitoring/exporters/optionalotlpexporter/internal/metadata"
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

func TestValidBlocksBuildTheirSender(t *testing.T) {
	require.NoError(t, xconfmap.Validate(load(t, "")), "without an endpoint")

	jaeger := load(t, "jaeger")
	require.NoError(t, xconfmap.Validate(jaeger))
	_, inner := jaeger.sender()
	grpc := inner.(*otlpexporter.Config)
	require.NoError(t, xconfmap.Validate(grpc))
	assert.Equal(t, "http://jaeger:4317", grpc.ClientConfig.Endpoint)
	assert.True(t, grpc.ClientConfig.TLS.Insecure)

	loki := load(t, "loki")
	require.NoError(t, xconfmap.Validate(loki))
	_, inner = loki.sender()
	http := inner.(*otlphttpexporter.Config)
	require.NoError(t, xconfmap.Validate(http))
	assert.Equal(t, "https://loki:3100/otlp", http.ClientConfig.Endpoint)
	assert.Equal(t, loki.Timeout, http.ClientConfig.Timeout)
	assert.Equal(t, loki.Headers, http.ClientConfig.Headers)
	assert.False(t, http.QueueConfig.HasValue())
}

func TestFaultsAreNamedByKey(t *testing.T) {
	err := xconfmap.Validate(load(t, "faulty"))
	for _, key := range []string{`"endpoint"`, `"protocol"`, `"path"`, `"timeout"`} {
		require.ErrorContains(t, err, key)
	}
	require.NotContains(t, err.Error(), "secret")

	require.ErrorContains(t, xconfmap.Validate(load(t, "path_over_grpc")), `"path" applies to http/protobuf only`)
}

func TestProtocolFollowsTheEndpoint(t *testing.T) {
	for _, tc := range []struct {
		endpoint, protocol string
		insecure           bool
		want, target       string
	}{
		{endpoint: "jaeger:4317", insecure: true, want: protocolGRPC, target: "http://jaeger:4317"},
		{endpoint: "jaeger:4317", want: protocolGRPC, target: "https://jaeger:4317"},
		{endpoint: "http://jaeger:4317", want: protocolGRPC, target: "http://jaeger:4317"},
		{endpoint: "https://jaeger:4317/", want: protocolGRPC, target: "https://jaeger:4317/"},
		{endpoint: "http://jaeger:4318", want: protocolHTTP, target: "http://jaeger:4318"},
		{endpoint: "https://traces.example.org", want: protocolHTTP, target: "https://traces.example.org"},
		{endpoint: "loki:3100", protocol: protocolHTTP, insecure: true, want: protocolHTTP, target: "http://loki:3100"},
		{endpoint: "[::1]:4317", insecure: true, want: protocolGRPC, target: "http://[::1]:4317"},
	} {
		t.Run(tc.endpoint, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			cfg.Endpoint, cfg.Protocol, cfg.TLS.Insecure = tc.endpoint, tc.protocol, tc.insecure
			require.NoError(t, xconfmap.Validate(cfg))
			assert.Equal(t, tc.want, cfg.protocol())
			assert.Equal(t, tc.target, cfg.target())
		})
	}
}
