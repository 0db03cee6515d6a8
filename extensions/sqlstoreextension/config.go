package sqlstoreextension

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
)

// The values of the key driver.
const (
	driverSQLite   = "sqlite"
	driverPostgres = "postgres"
)

// Config of the sql_store extension.
type Config struct {
	// Driver is sqlite or postgres.
	Driver   string   `mapstructure:"driver"`
	SQLite   SQLite   `mapstructure:"sqlite"`
	Postgres Postgres `mapstructure:"postgres"`
}

// SQLite is for one process.
type SQLite struct {
	// Path of the database file. It and its directory are made where missing.
	Path string `mapstructure:"path"`
	// BusyTimeout is how long a writer waits for another process that has the file locked.
	BusyTimeout time.Duration `mapstructure:"busy_timeout"`
}

// Postgres is for any number of replicas. Fields that are set go before what the URL says.
type Postgres struct {
	// URL in the form postgres://user:password@host:port/database?option=value, or libpq's key=value form.
	URL      configopaque.String `mapstructure:"url"`
	Host     string              `mapstructure:"host"`
	Port     int                 `mapstructure:"port"`
	User     string              `mapstructure:"user"`
	Password configopaque.String `mapstructure:"password"`
	Database string              `mapstructure:"database"`
	// TLS, where not set, is what the URL says, and no TLS without a URL.
	TLS configoptional.Optional[configtls.ClientConfig] `mapstructure:"tls"`

	MaxOpenConns    int           `mapstructure:"max_open_conns"`
	MaxIdleConns    int           `mapstructure:"max_idle_conns"`
	ConnMaxLifetime time.Duration `mapstructure:"conn_max_lifetime"`
	ConnMaxIdleTime time.Duration `mapstructure:"conn_max_idle_time"`
	// ConnectTimeout ends an attempt to connect. 0 is no limit.
	ConnectTimeout time.Duration `mapstructure:"connect_timeout"`
	// StatementTimeout ends a statement, its wait for locks included. 0 is no limit.
	StatementTimeout time.Duration `mapstructure:"statement_timeout"`
}

// Validate names every fault by its key.
func (c *Config) Validate() error {
	switch c.Driver {
	case driverSQLite:
		return c.SQLite.validate()
	case driverPostgres:
		return c.Postgres.validate()
	default:
		return fmt.Errorf("\"driver\" must be sqlite or postgres, is %q", c.Driver)
	}
}

func (c *SQLite) validate() error {
	var errs []error
	if c.Path == "" {
		errs = append(errs, errors.New(`"sqlite::path" must be set`))
	}
	if c.BusyTimeout < 0 {
		errs = append(errs, fmt.Errorf("\"sqlite::busy_timeout\" must not be negative, is %s", c.BusyTimeout))
	}
	return errors.Join(errs...)
}

func (c *Postgres) validate() error {
	var errs []error
	fail := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("\"postgres::%s\" %s", key, fmt.Sprintf(format, args...)))
	}
	if c.Port < 0 || c.Port > 65535 {
		fail("port", "must be between 1 and 65535, or 0 for 5432, is %d", c.Port)
	}
	if c.MaxOpenConns < 1 {
		fail("max_open_conns", "must be at least 1, is %d", c.MaxOpenConns)
	}
	if c.MaxIdleConns < 0 || c.MaxIdleConns > c.MaxOpenConns {
		fail("max_idle_conns", "must be between 0 and max_open_conns, is %d", c.MaxIdleConns)
	}
	for key, d := range map[string]time.Duration{
		"conn_max_lifetime": c.ConnMaxLifetime, "conn_max_idle_time": c.ConnMaxIdleTime,
		"connect_timeout": c.ConnectTimeout, "statement_timeout": c.StatementTimeout,
	} {
		if d < 0 {
			fail(key, "must not be negative, is %s", d)
		}
	}
	return errors.Join(errs...)
}
