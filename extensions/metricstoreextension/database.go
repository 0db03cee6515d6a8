package metricstoreextension

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/prometheus/prometheus/tsdb"

	"github.com/quantivista/monitoring/internal/metricstore"
)

// database is the TSDB from one opening to its closing. The store opens it again where its write-ahead log
// broke; each opening has a number, by which series references of another opening are told apart.
type database struct {
	tsdb     *tsdb.DB
	number   uint64
	registry *counterRegistry

	// users are the queriers and appenders that must be gone before the TSDB closes.
	users *gate
	// queries ends when the database closes, and all queries with it.
	queries    context.Context
	endQueries context.CancelFunc

	// shortage is why samples are not taken for now, nil where they are.
	shortage atomic.Pointer[error]
	// torn tells that a write to the write-ahead log failed; broken is closed then.
	torn   atomic.Bool
	broken chan struct{}
}

// openDatabase opens the TSDB, replaying its write-ahead log and repairing it where it is torn. What lies
// behind a tear is gone then.
func openDatabase(options *tsdb.Options, dir string, number uint64, logger *slog.Logger) (*database, error) {
	if err := resumeRepairs(dir, logger); err != nil {
		return nil, err
	}
	db, registry, err := openTSDB(options, dir, logger)
	if err != nil {
		return nil, err
	}
	if repairs := registry.value(walCorruptions); repairs > 0 {
		// A replay that met a tear ends there, and leaves the out-of-order samples on disk.
		logger.Warn("The write-ahead log was torn and is repaired; replaying it again")
		if err := db.Close(); err != nil {
			return nil, fmt.Errorf("close the TSDB after a repair: %w", err)
		}
		if db, registry, err = openTSDB(options, dir, logger); err != nil {
			return nil, err
		}
		registry.add(walCorruptions, repairs)
	}
	queries, endQueries := context.WithCancel(context.Background())
	return &database{
		tsdb:       db,
		number:     number,
		registry:   registry,
		users:      newGate(),
		queries:    queries,
		endQueries: endQueries,
		broken:     make(chan struct{}),
	}, nil
}

func openTSDB(options *tsdb.Options, dir string, logger *slog.Logger) (*tsdb.DB, *counterRegistry, error) {
	registry := newCounterRegistry()
	db, err := tsdb.Open(dir, logger, registry, options, nil)
	if err != nil {
		return nil, nil, openError(dir, err)
	}
	return db, registry, nil
}

// errInUse tells that a database was left open for the queries that still read it.
var errInUse = errors.New("the TSDB stays open: queries did not end in time (the write-ahead log has every sample)")

// close aborts all queries, waits for their ends as long as ctx allows, and closes the TSDB.
func (d *database) close(ctx context.Context) error {
	empty := d.users.close()
	d.endQueries()
	select {
	case <-empty:
		return closeTSDB(d.tsdb)
	case <-ctx.Done():
		return errInUse
	}
}

// errCannotFlush tells that a TSDB stopped half-way in its close, and may hold locks for ever.
var errCannotFlush = errors.New("the TSDB cannot flush its chunks")

// closeTSDB turns the panic of a TSDB that cannot flush its chunks, as on a full disk, into an error. Their
// samples are in the write-ahead log.
func closeTSDB(db *tsdb.DB) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errCannotFlush, p)
		}
	}()
	return db.Close()
}

// finishClose repeats what a close on a full disk could not do, so that its files and goroutines end.
func (d *database) finishClose() error {
	return d.tsdb.Head().Close()
}

var errBrokenLog = errors.New("a write to the write-ahead log failed, and it opens again once the disk takes writes")

// refused gives the reason why samples are not taken, as an ErrUnavailable.
func (d *database) refused() error {
	if d.torn.Load() {
		return fmt.Errorf("%w: %w", metricstore.ErrUnavailable, errBrokenLog)
	}
	if reason := d.shortage.Load(); reason != nil {
		return fmt.Errorf("%w: %w", metricstore.ErrUnavailable, *reason)
	}
	return nil
}

// checkLog finds out whether any write to the write-ahead log has failed. From then on nothing may be
// acknowledged: the log may have a torn record, and a replay drops what comes behind that.
func (d *database) checkLog() error {
	if d.registry.value(walWritesFailed) == 0 && d.registry.value(wblWritesFailed) == 0 {
		return nil
	}
	if d.torn.CompareAndSwap(false, true) {
		close(d.broken)
	}
	return d.refused()
}
