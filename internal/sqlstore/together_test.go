package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/state"
)

// queued starts a write and returns once it waits for its turn.
func queued(ctx context.Context, t *testing.T, s *Store, do func(context.Context, bun.Tx) error) <-chan error {
	t.Helper()
	length := func() int {
		s.small.mu.Lock()
		defer s.small.mu.Unlock()
		return len(s.small.waiting)
	}
	before, done := length(), make(chan error, 1)
	go func() { done <- s.writeTogether(ctx, do) }()
	require.Eventually(t, func() bool { return length() > before }, time.Minute, time.Millisecond)
	return done
}

// Writes that wait together are kept and undone each by itself.
func TestWritesTogether(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		_, err := s.db.NewRaw("CREATE TABLE marks (mark INTEGER PRIMARY KEY)").Exec(t.Context())
		require.NoError(t, err)
		mark := func(n int, then error) func(context.Context, bun.Tx) error {
			return func(ctx context.Context, db bun.Tx) error {
				_, err := db.NewRaw("INSERT INTO marks VALUES (?)", n).Exec(ctx)
				return errors.Join(err, then)
			}
		}
		s.turn <- struct{}{} // somebody else writes
		refused := errors.New("refused")
		leaving, leave := context.WithCancel(t.Context())
		var outcomes []<-chan error
		for n := range 10 {
			ctx, then := t.Context(), error(nil)
			if n == 3 {
				then = refused
			}
			if n == 5 {
				ctx = leaving
			}
			outcomes = append(outcomes, queued(ctx, t, s, mark(n, then)))
		}
		twice := queued(t.Context(), t, s, mark(2, nil))
		leave()
		require.ErrorIs(t, <-outcomes[5], context.Canceled)
		<-s.turn
		for n, outcome := range outcomes {
			switch n {
			case 3:
				require.ErrorIs(t, <-outcome, refused)
			case 5:
			default:
				require.NoError(t, <-outcome)
			}
		}
		require.Error(t, <-twice, "the key is taken")
		var kept []int
		require.NoError(t, s.db.NewRaw("SELECT mark FROM marks ORDER BY mark").Scan(t.Context(), &kept))
		assert.Equal(t, []int{0, 1, 2, 4, 6, 7, 8, 9}, kept)
	})
}

// More than one transaction takes are written all the same, and nobody is forgotten when the store is closed.
func TestManyWritesTogether(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		_, err := s.db.NewRaw("CREATE TABLE marks (mark INTEGER PRIMARY KEY)").Exec(t.Context())
		require.NoError(t, err)
		const writes = 3*maxTogether + 1
		done := make(chan error, writes)
		for n := range writes {
			go func() {
				done <- s.writeTogether(t.Context(), func(ctx context.Context, db bun.Tx) error {
					_, err := db.NewRaw("INSERT INTO marks VALUES (?)", n).Exec(ctx)
					return err
				})
			}()
		}
		for range writes {
			require.NoError(t, <-done)
		}
		var kept int
		require.NoError(t, s.db.NewRaw("SELECT COUNT(*) FROM marks").Scan(t.Context(), &kept))
		assert.Equal(t, writes, kept)
		_, err = s.db.NewRaw("DROP TABLE marks").Exec(t.Context())
		require.NoError(t, err)
		require.NoError(t, s.Close())
		require.ErrorIs(t, s.writeTogether(t.Context(), func(context.Context, bun.Tx) error { return fmt.Errorf("called") }), state.ErrUnavailable)
	})
}
