package sqlstoreextension

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

func load(t *testing.T, name string) *Config {
	t.Helper()
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := all.Sub(component.MustNewIDWithName("sql_store", name).String())
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, sub.Unmarshal(cfg))
	require.NoError(t, xconfmap.Validate(cfg))
	return cfg
}

func TestLoadConfig(t *testing.T) {
	assert.Equal(t, createDefaultConfig(), load(t, ""))
	assert.Equal(t, SQLite{Path: "/var/lib/otelcol-quantivista/state.db", BusyTimeout: 10 * time.Second}, load(t, "sqlite").SQLite)

	url := load(t, "url").Postgres
	assert.Equal(t, "postgres://monitoring@db.example.com:5433/monitoring?sslmode=verify-full", string(url.URL))
	assert.Equal(t, 10, url.MaxOpenConns, "the defaults hold")
	assert.False(t, url.TLS.HasValue())

	fields := load(t, "fields").Postgres
	require.True(t, fields.TLS.HasValue())
	assert.Equal(t, "/etc/ssl/db.pem", fields.TLS.Get().CAFile)
	assert.Equal(t, 20, fields.MaxOpenConns)
	assert.Equal(t, 10*time.Second, fields.StatementTimeout)
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", fields, fields, fields.Password), "geheim")
}

func TestValidate(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Config)
		want   []string
	}{
		"defaults":        {func(*Config) {}, nil},
		"postgres":        {func(c *Config) { c.Driver = "postgres" }, nil},
		"driver":          {func(c *Config) { c.Driver = "mysql" }, []string{`"driver" must be sqlite or postgres, is "mysql"`}},
		"no path":         {func(c *Config) { c.SQLite.Path = "" }, []string{`"sqlite::path" must be set`}},
		"busy time-out":   {func(c *Config) { c.SQLite.BusyTimeout = -1 }, []string{`"sqlite::busy_timeout" must not be negative, is -1ns`}},
		"unused driver":   {func(c *Config) { c.Postgres.Port = -1 }, nil},
		"port":            {postgres(func(p *Postgres) { p.Port = 65536 }), []string{`"postgres::port" must be between 1 and 65535, or 0 for 5432, is 65536`}},
		"no conns":        {postgres(func(p *Postgres) { p.MaxOpenConns, p.MaxIdleConns = 0, 0 }), []string{`"postgres::max_open_conns" must be at least 1, is 0`}},
		"idle conns":      {postgres(func(p *Postgres) { p.MaxIdleConns = 11 }), []string{`"postgres::max_idle_conns" must be between 0 and max_open_conns, is 11`}},
		"two are joined":  {postgres(func(p *Postgres) { p.ConnectTimeout, p.StatementTimeout = -1, -1 }), []string{`"postgres::connect_timeout"`, `"postgres::statement_timeout"`}},
		"two more":        {postgres(func(p *Postgres) { p.ConnMaxLifetime, p.ConnMaxIdleTime = -1, -1 }), []string{`"postgres::conn_max_lifetime"`, `"postgres::conn_max_idle_time"`}},
		"secret is quiet": {postgres(func(p *Postgres) { p.URL, p.Password, p.Port = "geheim", "geheim", -1 }), []string{`"postgres::port"`}},
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

func postgres(change func(*Postgres)) func(*Config) {
	return func(c *Config) {
		c.Driver = driverPostgres
		change(&c.Postgres)
	}
}
