package sqlstore

import (
	"context"
	"database/sql/driver"

	"modernc.org/sqlite"
)

// sqliteConnector opens connections with a driver of our own, so that its functions are nobody else's.
type sqliteConnector struct {
	driver *sqlite.Driver
	dsn    string
}

// Connect opens a connection.
func (c sqliteConnector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }

// Driver gives the driver.
func (c sqliteConnector) Driver() driver.Driver { return c.driver }
