package e2e

import (
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/quantivista/monitoring/internal/sqlstore/postgrestest"
)

// database is where collectors keep alerts and incidents, and a way to look at these past the API.
type database struct {
	t *testing.T
	// server and url are those of a PostgreSQL; without them it is the SQLite file of a collector.
	server *postgrestest.Server
	url    string
}

// databaseName is of the one database on each server of these tests.
const databaseName = "monitoring"

// eachDatabase runs a test on both kinds, beside each other.
func eachDatabase(t *testing.T, test func(*testing.T, *database)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, &database{t: t})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, newPostgres(t))
	})
}

// newPostgres starts a PostgreSQL that keeps what it says, also when it is killed.
func newPostgres(t *testing.T, settings ...string) *database {
	t.Helper()
	server, err := postgrestest.New(append([]string{"max_connections=200"}, settings...)...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	d := &database{t: t, server: server}
	d.url, err = server.CreateDatabase(t.Context(), databaseName)
	require.NoError(t, err)
	return d
}

// option has a collector use the database.
func (d *database) option() option {
	if d.server == nil {
		return withEnv("STATE_DRIVER=sqlite")
	}
	return withEnv("STATE_DRIVER=postgres", "STATE_URL="+d.url)
}

// file is where a collector with the shipped configuration has its SQLite.
func (c *collector) file() string { return filepath.Join(c.data, "state", "monitoring.db") }

// open connects. A connection that outlived the collector would keep SQLite from recovering its file as after a crash.
func (d *database) open(c *collector) *sql.DB {
	d.t.Helper()
	driver, source := "pgx", d.url
	if d.server == nil {
		driver = "sqlite"
		source = (&url.URL{Scheme: "file", Opaque: c.file(), RawQuery: "mode=ro&_pragma=busy_timeout(10000)"}).String()
	}
	db, err := sql.Open(driver, source)
	require.NoError(d.t, err)
	return db
}

// rows gives the answer to a query as text.
func (d *database) rows(c *collector, query string) (table [][]string, err error) {
	db := d.open(c)
	defer db.Close()
	rows, err := db.QueryContext(d.t.Context(), query)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		cells, targets := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range cells {
			targets[i] = &cells[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		row := make([]string, len(columns))
		for i, cell := range cells {
			row[i] = cell.String
		}
		table = append(table, row)
	}
	return table, rows.Err()
}

// requireRows is rows where the database is there.
func (d *database) requireRows(c *collector, query string) [][]string {
	d.t.Helper()
	table, err := d.rows(c, query)
	require.NoError(d.t, err)
	return table
}
