package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/state"
)

const (
	// maxTogether bounds the writes that share a transaction.
	maxTogether = 200
	// togetherTimeout bounds the transaction: it is no longer that of a caller who may leave.
	togetherTimeout = 30 * time.Second
)

// queue holds small writes that wait for their turn. Many come at once, and each would wait for the disk by itself: they
// share a transaction, in which each has a savepoint of its own.
type queue struct {
	mu      sync.Mutex
	waiting []*smallWrite
}

type smallWrite struct {
	do func(context.Context, bun.Tx) error
	// done has the outcome, once.
	done chan error
}

func (q *queue) add(w *smallWrite) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, w)
}

// take gives those that came first.
func (q *queue) take() []*smallWrite {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.waiting), maxTogether)
	taken := slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	return taken
}

// leave takes back a write that has not begun.
func (q *queue) leave(w *smallWrite) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, w)
	if i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	}
	return i >= 0
}

// writeTogether runs do in a transaction that it may share with others that wait at the same time. What do does is kept
// or undone by itself. It may be called again, as by write.
func (s *Store) writeTogether(ctx context.Context, do func(context.Context, bun.Tx) error) error {
	if !s.open.Load() {
		return fmt.Errorf("%w: the schema is not ready", state.ErrUnavailable)
	}
	w := &smallWrite{do: do, done: make(chan error, 1)}
	s.small.add(w)
	for {
		select {
		case err := <-w.done:
			return err
		case s.turn <- struct{}{}:
			s.runTogether(ctx, s.small.take())
			<-s.turn
		case <-ctx.Done():
			if s.small.leave(w) {
				return ctx.Err()
			}
			return <-w.done
		}
	}
}

// runTogether is called in the turn.
func (s *Store) runTogether(ctx context.Context, writes []*smallWrite) {
	if len(writes) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), togetherTimeout)
	defer cancel()
	faults := make([]error, len(writes))
	err := s.transact(ctx, func(ctx context.Context, db bun.Tx) error {
		for i, w := range writes {
			faults[i] = db.RunInTx(ctx, nil, w.do)
			if isAborted(faults[i]) || isCut(faults[i]) {
				return faults[i] // of the whole
			}
		}
		return nil
	})
	for i, w := range writes {
		if err != nil {
			w.done <- err
		} else {
			w.done <- s.noteWrite(s.fault(faults[i]))
		}
	}
}
