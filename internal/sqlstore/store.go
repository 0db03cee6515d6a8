package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/alertmanager"
	"github.com/quantivista/monitoring/internal/evidence"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/maintenance"
	"github.com/quantivista/monitoring/internal/notification"
	"github.com/quantivista/monitoring/internal/report"
	"github.com/quantivista/monitoring/internal/rule"
	"github.com/quantivista/monitoring/internal/servicehealth"
	"github.com/quantivista/monitoring/internal/state"
)

// Store implements the ports. It is safe for concurrent use, and answers state.ErrUnavailable before Migrate has
// succeeded and after Close.
type Store struct {
	db      *bun.DB
	flavour flavour
	open    atomic.Bool
	// idle is how many connections stay open and begin slowly.
	idle int
	// turn is held by the transaction of this process that writes: waiting here is cheaper than in the database.
	turn chan struct{}
	// small are writes that wait for the turn together.
	small queue
	// refused is the last write where the database did not take it for now; nil where it did.
	refused atomic.Pointer[refusal]
	now     func() time.Time
}

var (
	_ alert.Reader          = (*Store)(nil)
	_ alert.ChangeReader    = (*Store)(nil)
	_ alertmanager.Store    = (*Store)(nil)
	_ evidence.Store        = (*Store)(nil)
	_ incident.Reader       = (*Store)(nil)
	_ incident.Writer       = (*Store)(nil)
	_ rule.Store            = (*Store)(nil)
	_ maintenance.Store     = (*Store)(nil)
	_ report.Reader         = (*Store)(nil)
	_ notification.Ledger   = (*Store)(nil)
	_ notification.Reader   = (*Store)(nil)
	_ servicehealth.Records = (*Store)(nil)
	_ servicehealth.Alerts  = (*Store)(nil)
)

func newStore(db *bun.DB, f flavour) *Store {
	return &Store{db: db, flavour: f, turn: make(chan struct{}, 1), now: time.Now}
}

// Close closes the connections. Calls that run fail.
func (s *Store) Close() error {
	s.open.Store(false)
	return s.db.Close()
}

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	return s.read(ctx, func(db bun.IDB) error {
		_, err := db.ExecContext(ctx, "SELECT 1")
		return err
	})
}

// read runs queries and makes their errors those of the ports. What runs them must not mind to be called again: it
// is, once, where the connection broke meanwhile, as it does behind a pooler or when a server hands over.
func (s *Store) read(ctx context.Context, do func(bun.IDB) error) error {
	if !s.open.Load() {
		return fmt.Errorf("%w: the schema is not ready", state.ErrUnavailable)
	}
	err := do(s.db)
	if isCut(err) && ctx.Err() == nil {
		err = do(s.db)
	}
	return s.fault(err)
}

// maxAttempts bounds how often a transaction runs again that the database has aborted in favour of another.
const maxAttempts = 3

// Write runs do in a transaction; see incident.Writer.
func (s *Store) Write(ctx context.Context, do func(context.Context, incident.Tx) error) error {
	return s.write(ctx, func(ctx context.Context, db bun.Tx) error {
		return do(ctx, &tx{db: db, store: s})
	})
}

func (s *Store) write(ctx context.Context, do func(context.Context, bun.Tx) error) error {
	if !s.open.Load() {
		return fmt.Errorf("%w: the schema is not ready", state.ErrUnavailable)
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return s.transact(ctx, do)
}

// transact is called in the turn.
func (s *Store) transact(ctx context.Context, do func(context.Context, bun.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := s.db.RunInTx(ctx, nil, func(ctx context.Context, db bun.Tx) error {
			if err := s.flavour.takeTurn(ctx, db); err != nil {
				return err
			}
			return do(ctx, db)
		})
		if err == nil || !isAborted(err) || attempt == maxAttempts {
			return s.noteWrite(s.fault(err))
		}
	}
}

// newID gives an ID that sorts by time, which keeps indexes compact.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// checkID answers state.ErrNotFound for what cannot be an ID, before PostgreSQL calls it a syntax error.
func checkID(kind, id string) error {
	if _, err := uuid.Parse(id); err != nil || len(id) != 36 {
		return notFound(kind, id)
	}
	return nil
}

// possibleIDs leaves out what cannot be an ID.
func possibleIDs(kind string, ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return checkID(kind, id) != nil })
}

func notFound(kind, id string) error { return fmt.Errorf("%s %q: %w", kind, id, state.ErrNotFound) }

// one makes the answer of a query for one row that is not there state.ErrNotFound.
func one(kind, id string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return notFound(kind, id)
	}
	return err
}
