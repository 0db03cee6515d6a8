package sqlstoreextension

import (
	"context"
	"crypto/tls"
	"fmt"

	"github.com/quantivista/monitoring/internal/sqlstore"
)

// open makes the store. It reads certificates, and does not connect.
func open(ctx context.Context, cfg *Config) (*sqlstore.Store, error) {
	if cfg.Driver == driverSQLite {
		return sqlstore.OpenSQLite(sqlstore.SQLite{Path: cfg.SQLite.Path, BusyTimeout: cfg.SQLite.BusyTimeout})
	}
	p := &cfg.Postgres
	host := p.Host
	if host == "" && p.URL == "" {
		host = "localhost"
	}
	encryption, err := loadTLS(ctx, p)
	if err != nil {
		return nil, err
	}
	return sqlstore.OpenPostgres(sqlstore.Postgres{
		URL: string(p.URL), Host: host, Port: uint16(p.Port), User: p.User, Password: string(p.Password), Database: p.Database,
		TLS: encryption, InTheClear: p.TLS.HasValue() && encryption == nil,
		MaxOpenConns: p.MaxOpenConns, MaxIdleConns: p.MaxIdleConns,
		ConnMaxLifetime: p.ConnMaxLifetime, ConnMaxIdleTime: p.ConnMaxIdleTime,
		ConnectTimeout: p.ConnectTimeout, StatementTimeout: p.StatementTimeout,
	})
}

// loadTLS gives nil where there is to be none.
func loadTLS(ctx context.Context, p *Postgres) (*tls.Config, error) {
	client := p.TLS.Get()
	if client == nil {
		return nil, nil //nolint:nilnil // no TLS is what nil means to the store
	}
	loaded, err := client.LoadTLSConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("\"postgres::tls\": %w", err)
	}
	return loaded, nil
}
