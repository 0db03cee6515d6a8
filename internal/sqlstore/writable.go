package sqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/state"
)

// refusal is a write that the database did not take.
type refusal struct {
	err error
	at  time.Time
}

// tryAgainAfter is how long after a refusal Writable writes something itself. Before that the writes of others tell.
const tryAgainAfter = time.Minute

// noteWrite keeps whether the database took a write.
func (s *Store) noteWrite(err error) error {
	switch {
	case err == nil:
		s.refused.Store(nil)
	case errors.Is(err, state.ErrUnavailable):
		s.refused.Store(&refusal{err, s.now()})
	}
	return err
}

// Writable says why the database took the last write not, where it did not: such as that its disk is full, that it is
// read-only, or that another process holds its lock. Who reads sees none of that.
func (s *Store) Writable(ctx context.Context) error {
	last := s.refused.Load()
	if last == nil {
		return nil
	}
	if s.now().Sub(last.at) < tryAgainAfter {
		return last.err
	}
	return s.write(ctx, func(ctx context.Context, db bun.Tx) error {
		_, err := db.ExecContext(ctx, "UPDATE "+migrationsTable+" SET name = name WHERE id = (SELECT MAX(id) FROM "+migrationsTable+")")
		return err
	})
}
