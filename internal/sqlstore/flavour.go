package sqlstore

import (
	"context"
	"database/sql"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"modernc.org/sqlite"
)

// flavour is what differs between the databases beside the types of columns.
type flavour interface {
	analysis

	name() string
	// migrations holds the files of the schema.
	migrations() (fs.FS, error)
	// lock opens a pool of one connection that has the schema to itself until unlock is called, which keeps or undoes
	// what a transaction of the lock holds, and closes the pool.
	lock(context.Context) (db *bun.DB, unlock func(keep bool) error, err error)
	// takeTurn waits in a transaction until it is the only one that changes alerts and incidents.
	takeTurn(context.Context, bun.IDB) error
	// labelEqual gives a condition that a label has a value, which is not empty.
	labelEqual(name, value string) (condition string, args []any)
	// searchAlerts gives a page of alerts and one more, if there is one, by matchers that are clean.
	searchAlerts(context.Context, bun.IDB, *alertSearch) ([]alertRow, error)
	// worstFiring makes a query over alerts AS a one for the worst alerts of each service, at most limit, and the number of
	// all, of those that where leaves.
	worstFiring(q *bun.SelectQuery, where func(*bun.SelectQuery) *bun.SelectQuery, limit int) *bun.SelectQuery
	// forgetLabels drops what it keeps of labels that no alert has, if it was not seen since a day, and not all at once.
	forgetLabels(context.Context, bun.IDB, time.Time) error
	// hidden are texts that no error may show.
	hidden() []string
}

type sqliteFlavour struct {
	cfg    SQLite
	driver *sqlite.Driver
}

func (sqliteFlavour) name() string               { return "SQLite" }
func (sqliteFlavour) migrations() (fs.FS, error) { return fs.Sub(migrationFiles, "migrations/sqlite") }
func (sqliteFlavour) hidden() []string           { return nil }

// takeTurn has nothing to do: SQLite has one writer, and transactions begin as such.
func (sqliteFlavour) takeTurn(context.Context, bun.IDB) error { return nil }

// lock takes the whole file.
func (f sqliteFlavour) lock(ctx context.Context) (*bun.DB, func(bool) error, error) {
	if err := f.cfg.makeDirectory(); err != nil {
		return nil, nil, err
	}
	pool := sql.OpenDB(sqliteConnector{f.driver, sqliteDSN(f.cfg)})
	pool.SetMaxOpenConns(1)
	db := bun.NewDB(pool, sqlitedialect.New())
	err := f.cfg.whileBusy(ctx, func() error {
		_, err := db.ExecContext(ctx, "BEGIN EXCLUSIVE")
		return err
	})
	if err != nil {
		return nil, nil, closing(db, err)
	}
	return db, func(keep bool) error {
		end := "ROLLBACK"
		if keep {
			end = "COMMIT"
		}
		_, err := db.ExecContext(context.WithoutCancel(ctx), end)
		return closing(db, err)
	}, nil
}

type postgresFlavour struct {
	conn  *pgx.ConnConfig
	near  int // see nearAlerts
	dense int // see denseAlerts
}

func (postgresFlavour) name() string { return "PostgreSQL" }
func (postgresFlavour) migrations() (fs.FS, error) {
	return fs.Sub(migrationFiles, "migrations/postgres")
}
func (f postgresFlavour) hidden() []string { return secrets(f.conn) }

// The advisory locks of this package, chosen once.
const (
	schemaLock = 0x71767363 // "qvsc"
	turnLock   = 0x7176746e // "qvtn"
)

func (postgresFlavour) takeTurn(ctx context.Context, db bun.IDB) error {
	_, err := db.ExecContext(ctx, "SELECT pg_advisory_xact_lock(?)", turnLock)
	return err
}

// lock takes an advisory lock that the end of the connection gives back, whatever ends it. Each migration is a
// transaction of its own.
func (f postgresFlavour) lock(ctx context.Context) (*bun.DB, func(bool) error, error) {
	db := bun.NewDB(single(f.conn), pgdialect.New())
	if _, err := db.ExecContext(ctx, "SELECT pg_advisory_lock(?)", schemaLock); err != nil {
		return nil, nil, closing(db, err)
	}
	return db, func(bool) error {
		_, err := db.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock(?)", schemaLock)
		return closing(db, err)
	}, nil
}
