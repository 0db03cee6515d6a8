package metricstoreextension

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/alecthomas/units"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/quantivista/monitoring/extensions/metricstoreextension/internal/metadata"
)

func load(t *testing.T, name string) *Config {
	t.Helper()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	id := component.NewIDWithName(metadata.Type, name)
	sub, err := conf.Sub(id.String())
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, sub.Unmarshal(cfg))
	require.NoError(t, xconfmap.Validate(cfg))
	return cfg
}

func TestDefaults(t *testing.T) {
	cfg := load(t, "")
	assert.Equal(t, createDefaultConfig(), cfg)
	assert.Nil(t, cfg.Remote.Get())
}

func TestEveryKey(t *testing.T) {
	cfg := load(t, "all")
	assert.Equal(t, &Config{
		Directory:            "/var/lib/otelcol-quantivista/metrics",
		Retention:            Retention{Time: days(30), Size: 50 * units.GiB},
		OutOfOrderTimeWindow: model.Duration(2 * time.Hour),
		MaxBlockDuration:     days(1),
		WALCompression:       "zstd",
		MaxExemplars:         500,
		GCPercent:            50,
		Query: QueryLimits{
			Timeout:        model.Duration(30 * time.Second),
			MaxSamples:     1_000_000,
			MaxConcurrency: 4,
			LookbackDelta:  model.Duration(time.Minute),
		},
		Remote: createDefaultConfig().(*Config).Remote,
	}, cfg)
}

func TestRemoteMode(t *testing.T) {
	cfg := load(t, "remote")
	remote := cfg.Remote.Get()
	require.NotNil(t, remote)
	assert.Equal(t, "http://mimir:8080/prometheus", remote.Endpoint)
	tenant, ok := remote.Headers.Get("X-Scope-OrgID")
	assert.True(t, ok)
	assert.Equal(t, "demo", string(tenant))
	assert.Equal(t, configoptional.Some(configauth.Config{AuthenticatorID: component.MustNewIDWithName("basicauth", "mimir")}), remote.Auth)
	assert.Equal(t, 100, remote.MaxIdleConns, "the client's defaults hold")

	ext, err := create(t.Context(), testSettings(), cfg)
	require.NoError(t, err)
	assert.IsType(t, &remoteStore{}, ext)
}

func TestValidate(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Config)
		want   []string
	}{
		"defaults":               {func(*Config) {}, nil},
		"no directory":           {func(c *Config) { c.Directory = "" }, []string{`"directory" must be set`}},
		"short retention":        {func(c *Config) { c.Retention.Time = model.Duration(time.Hour) }, []string{`"retention::time" must be 0 (for ever) or at least 2h, the duration of the smallest block, is 1h`}},
		"for ever":               {func(c *Config) { c.Retention.Time = 0 }, nil},
		"negative size":          {func(c *Config) { c.Retention.Size = -1 }, []string{`"retention::size" must not be negative`}},
		"negative window":        {func(c *Config) { c.OutOfOrderTimeWindow = -1 }, []string{`"out_of_order_time_window" must not be negative`}},
		"short blocks":           {func(c *Config) { c.MaxBlockDuration = model.Duration(time.Minute) }, []string{`"max_block_duration" must be 0 (chosen from the retention) or at least 2h, is 1m`}},
		"unknown compression":    {func(c *Config) { c.WALCompression = "gzip" }, []string{`"wal_compression" must be none, snappy or zstd, is "gzip"`}},
		"negative GC percent":    {func(c *Config) { c.GCPercent = -1 }, []string{`"gc_percent" must not be negative`}},
		"negative exemplars":     {func(c *Config) { c.MaxExemplars = -1 }, []string{`"max_exemplars" must not be negative`}},
		"no limits":              {func(c *Config) { c.Query = QueryLimits{} }, []string{`"query::timeout" must be positive`, `"query::max_samples" must be positive`, `"query::max_concurrency" must be positive`, `"query::lookback_delta" must be positive`}},
		"two faults are joined":  {func(c *Config) { c.Directory, c.WALCompression = "", "" }, []string{`"directory"`, `"wal_compression"`}},
		"remote":                 {remoteAt("https://thanos.example.com"), nil},
		"remote, embedded unset": {func(c *Config) { remoteAt("http://vm:8428")(c); c.Directory = "" }, nil},
		"remote, no endpoint":    {remoteAt(""), []string{`"remote::endpoint" must be the base URL`}},
		"remote, no scheme":      {remoteAt("mimir:8080"), []string{`"remote::endpoint" must be the base URL of a Prometheus-compatible API, such as http://mimir:8080/prometheus, is "mimir:8080"`}},
		"remote, not HTTP":       {remoteAt("ftp://mimir/prometheus"), []string{`"remote::endpoint"`}},
		"remote, credentials":    {remoteAt("http://u:geheim@mimir/%zz"), []string{`"remote::endpoint"`}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			tt.change(cfg)
			before := *cfg
			err := cfg.Validate()
			assert.Equal(t, before, *cfg, "Validate changes nothing")
			if tt.want == nil {
				require.NoError(t, err)
				return
			}
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
			assert.NotContains(t, err.Error(), "geheim")
		})
	}
}

func remoteAt(endpoint string) func(*Config) {
	return func(c *Config) { c.Remote.GetOrInsertDefault().Endpoint = endpoint }
}
