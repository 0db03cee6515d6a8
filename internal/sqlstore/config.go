package sqlstore

import (
	"crypto/tls"
	"time"
)

// SQLite says where a SQLite database is.
type SQLite struct {
	// Path of the file. It and its directory are made where missing.
	Path string
	// BusyTimeout is how long a writer waits for another process to finish.
	BusyTimeout time.Duration
}

// Postgres says where a PostgreSQL database is. Fields that are set go before what the URL says.
type Postgres struct {
	// URL in the form postgres://user:password@host:port/database?option=value, or libpq's key=value form.
	URL      string
	Host     string
	Port     uint16
	User     string
	Password string
	Database string
	// TLS is nil for a connection in the clear, unless the URL says otherwise.
	TLS *tls.Config
	// InTheClear goes without TLS whatever the URL says.
	InTheClear bool
	// MaxOpenConns, MaxIdleConns, ConnMaxLifetime and ConnMaxIdleTime are those of database/sql.
	MaxOpenConns, MaxIdleConns       int
	ConnMaxLifetime, ConnMaxIdleTime time.Duration
	// ConnectTimeout ends an attempt to connect, StatementTimeout a statement that takes longer. 0 is no limit.
	ConnectTimeout, StatementTimeout time.Duration
}
