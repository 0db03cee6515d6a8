package sqlstore

import (
	"database/sql"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
)

// OpenPostgres makes a store on a PostgreSQL database. It does not connect. Its errors do not show the password.
func OpenPostgres(cfg Postgres) (*Store, error) {
	conn, err := cfg.connConfig()
	if err != nil {
		return nil, err
	}
	pool := stdlib.OpenDB(*conn)
	pool.SetMaxOpenConns(cfg.MaxOpenConns)
	pool.SetMaxIdleConns(cfg.MaxIdleConns)
	pool.SetConnMaxLifetime(cfg.ConnMaxLifetime)
	pool.SetConnMaxIdleTime(cfg.ConnMaxIdleTime)
	s := newStore(bun.NewDB(pool, pgdialect.New()), postgresFlavour{conn: conn, near: nearAlerts, dense: denseAlerts})
	s.idle = cfg.MaxIdleConns
	return s, nil
}

// connConfig puts URL and fields together.
func (c *Postgres) connConfig() (*pgx.ConnConfig, error) {
	conn, err := pgx.ParseConfig(c.URL)
	if err != nil {
		// The error quotes the URL, from which not every password can be told apart.
		return nil, fmt.Errorf("the PostgreSQL URL must have the form postgres://user@host:5432/database?option=value, and does not parse")
	}
	set := func(target *string, value string) {
		if value != "" {
			*target = value
		}
	}
	set(&conn.Host, c.Host)
	set(&conn.User, c.User)
	set(&conn.Password, c.Password)
	set(&conn.Database, c.Database)
	if c.Port != 0 {
		conn.Port = c.Port
	}
	if c.TLS != nil {
		conn.TLSConfig = c.TLS.Clone()
		if conn.TLSConfig.ServerName == "" {
			conn.TLSConfig.ServerName = conn.Host
		}
	}
	if c.InTheClear || c.URL == "" && c.TLS == nil {
		conn.TLSConfig = nil
	}
	if c.InTheClear || c.URL == "" || c.Host != "" || c.Port != 0 || c.TLS != nil {
		conn.Fallbacks = nil // they would go to the host of the URL, or in the clear
	}
	conn.ConnectTimeout = c.ConnectTimeout
	// bun writes values into the statement itself, quoted by rules that hold with these two settings.
	conn.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conn.RuntimeParams["standard_conforming_strings"] = "on"
	conn.RuntimeParams["client_encoding"] = "UTF8"
	conn.RuntimeParams["timezone"] = "UTC"
	if conn.RuntimeParams["application_name"] == "" {
		conn.RuntimeParams["application_name"] = "otelcol-quantivista"
	}
	setTimeout(conn, c.StatementTimeout)
	return conn, nil
}

func setTimeout(conn *pgx.ConnConfig, d time.Duration) {
	conn.RuntimeParams["statement_timeout"] = strconv.FormatInt(d.Milliseconds(), 10)
}

// secrets gives the forms in which the password could show in a message.
func secrets(conn *pgx.ConnConfig) []string {
	if conn.Password == "" {
		return nil
	}
	return []string{conn.Password, url.QueryEscape(conn.Password), url.PathEscape(conn.Password)}
}

// single opens a pool of one connection that never changes, without a limit of time.
func single(conn *pgx.ConnConfig) *sql.DB {
	c := conn.Copy()
	setTimeout(c, 0)
	pool := stdlib.OpenDB(*c)
	pool.SetMaxOpenConns(1)
	return pool
}
