package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteConns is enough for readers beside the one writer.
const sqliteConns = 8

// OpenSQLite makes a store on a SQLite file. Nothing is read or written before Migrate.
func OpenSQLite(cfg SQLite) (*Store, error) {
	patterns := newPatterns()
	drv := &sqlite.Driver{}
	err := drv.RegisterDeterministicScalarFunction("matches", 2, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		return patterns.match(args)
	})
	if err == nil {
		err = registerNearestRank(drv)
	}
	if err != nil {
		return nil, fmt.Errorf("prepare SQLite: %w", err)
	}
	pool := sql.OpenDB(sqliteConnector{drv, sqliteDSN(cfg)})
	pool.SetMaxOpenConns(sqliteConns)
	pool.SetMaxIdleConns(sqliteConns)
	return newStore(bun.NewDB(pool, sqlitedialect.New()), sqliteFlavour{cfg: cfg, driver: drv}), nil
}

// sqliteDSN sets what every connection needs: transactions begin as writers, since one that only became a writer
// later could fail; each commit is on the disk when it returns.
func sqliteDSN(cfg SQLite) string {
	q := url.Values{"_txlock": {"immediate"}}
	q.Add("_pragma", "busy_timeout("+strconv.FormatInt(cfg.BusyTimeout.Milliseconds(), 10)+")")
	q.Add("_pragma", "journal_mode(WAL)")
	q.Add("_pragma", "synchronous(FULL)")
	q.Add("_pragma", "foreign_keys(1)")
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: cfg.Path}).EscapedPath(), RawQuery: q.Encode()}
	return u.String()
}

// makeDirectory lets the file be made; SQLite makes no directories.
func (c SQLite) makeDirectory() error {
	if err := os.MkdirAll(filepath.Dir(c.Path), 0o750); err != nil {
		return fmt.Errorf("make the directory of the database: %w", err)
	}
	return nil
}

// busyPause is between two attempts of whileBusy.
const busyPause = 10 * time.Millisecond

// whileBusy tries again while the file is locked, as long as the busy time-out allows. SQLite waits by itself but in
// one place: where two processes switch a new file to its write-ahead log, one is refused at once.
func (c SQLite) whileBusy(ctx context.Context, do func() error) error {
	end := time.Now().Add(c.BusyTimeout)
	for {
		err := do()
		var refused *sqlite.Error
		if !errors.As(err, &refused) || refused.Code()&0xff != sqlite3.SQLITE_BUSY || time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(busyPause):
		}
	}
}
