package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/state"
)

// storeError is a driver's error as the ports know it. The driver's own is not in its chain: that could show the
// connection's secrets.
type storeError struct {
	kind    error
	message string
}

// Error gives the kind and what the driver said.
func (e *storeError) Error() string { return e.kind.Error() + ": " + e.message }

// Unwrap gives the kind.
func (e *storeError) Unwrap() error { return e.kind }

// errInternal is what no caller can do anything about.
var errInternal = errors.New("the database refused a statement")

// fault makes a driver's error one of the ports'. It is the only place that knows the drivers' errors.
func (s *Store) fault(err error) error {
	if err == nil || isOurs(err) {
		return err
	}
	message := err.Error()
	for _, secret := range s.flavour.hidden() {
		message = strings.ReplaceAll(message, secret, "xxxxx")
	}
	return &storeError{kind: kindOf(err), message: message}
}

func isOurs(err error) bool {
	var transition *incident.TransitionError
	var newer *NewerSchemaError
	var stored *storeError
	for _, known := range []error{state.ErrNotFound, state.ErrVersion, state.ErrConflict, state.ErrUnavailable, state.ErrInvalid, context.Canceled} {
		if errors.Is(err, known) && !isDriver(err) {
			return true
		}
	}
	return errors.As(err, &transition) || errors.As(err, &newer) || errors.As(err, &stored) || !isDriver(err)
}

// isDriver says whether an error comes from a driver or from below it.
func isDriver(err error) bool {
	var pg *pgconn.PgError
	var connect *pgconn.ConnectError
	var lite *sqlite.Error
	return errors.As(err, &pg) || errors.As(err, &connect) || errors.As(err, &lite) || isConnection(err)
}

func isConnection(err error) bool {
	var path *fs.PathError
	if errors.As(err, &path) {
		return false // of the directory of a database; its errno would pass for a network's
	}
	var network net.Error
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.As(err, &network)
}

func kindOf(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return postgresKind(pg)
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return sqliteKind(lite)
	}
	return state.ErrUnavailable
}

// postgresKind goes by SQLSTATE. Classes: 08 connection, 23 constraint, 28 authorization, 53 resources, 57 operator
// intervention (time-outs and shutdowns), 58 system.
func postgresKind(err *pgconn.PgError) error {
	const readOnly, aborted, lockTimeout, noDatabase = "25006", "40", "55P03", "3D000"
	switch class := err.Code[:min(2, len(err.Code))]; {
	case class == "23":
		return state.ErrConflict
	case class == "08", class == "28", class == "53", class == "57", class == "58", class == aborted,
		err.Code == readOnly, err.Code == lockTimeout, err.Code == noDatabase:
		return state.ErrUnavailable
	default:
		return errInternal
	}
}

func sqliteKind(err *sqlite.Error) error {
	switch err.Code() & 0xff {
	case sqlite3.SQLITE_CONSTRAINT:
		return state.ErrConflict
	case sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISUSE, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE, sqlite3.SQLITE_TOOBIG:
		return errInternal
	default: // busy, locked, read-only, full, I/O, cannot open, interrupted
		return state.ErrUnavailable
	}
}

// isAborted says whether the database has ended a transaction in favour of another.
func isAborted(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && strings.HasPrefix(pg.Code, "40")
}

// isCut says whether a connection broke that was good before: the server ended it, or the network did.
func isCut(err error) bool {
	const adminShutdown, crashShutdown = "57P01", "57P02"
	var connect *pgconn.ConnectError
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &connect): // no connection could be made
		return false
	case errors.As(err, &pg):
		return pg.Code == adminShutdown || pg.Code == crashShutdown
	default:
		return isConnection(err) && !errors.Is(err, context.DeadlineExceeded)
	}
}

// versionError names what was changed by another.
func versionError(kind, id string, known, stored int64) error {
	return fmt.Errorf("%s %q is of version %d, not %d: it %w", kind, id, stored, known, state.ErrVersion)
}
