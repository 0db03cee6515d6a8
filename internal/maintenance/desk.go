package maintenance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quantivista/monitoring/internal/state"
)

// Desk is what people do to windows. What has passed is never changed. It is safe for concurrent use.
type Desk struct {
	Store Store
	Now   func() time.Time
}

// Precondition ends a change with its error, where the stored version is not the one that the caller knows.
type Precondition func(version int64) error

// now is the time that is stored.
func (d *Desk) now() time.Time { return d.Now().UTC().Truncate(time.Microsecond) }

// Create makes a window. Faults are *state.FieldError, joined.
func (d *Desk) Create(ctx context.Context, by string, def Definition) (Window, error) {
	now := d.now()
	w := Window{CreatedAt: now, CreatedBy: by}
	if err := w.define(def, by, now); err != nil {
		return Window{}, err
	}
	return d.Store.CreateWindow(ctx, w)
}

// Change gives a window another definition, from now on. One that has ended answers state.ErrConflict.
func (d *Desk) Change(ctx context.Context, id, by string, check Precondition, def Definition) (Window, error) {
	return d.change(ctx, id, check, func(w *Window, now time.Time) (Action, error) {
		if w.ended(now) {
			return "", fmt.Errorf("maintenance window %q has ended: changing it %w; make a new one", id, state.ErrConflict)
		}
		return Changed, w.define(def, by, now)
	})
}

// Cancel ends a window for good: what goes on of it now, and all that would come. One that has ended stays as it is.
func (d *Desk) Cancel(ctx context.Context, id, by string, check Precondition) (Window, error) {
	return d.change(ctx, id, check, func(w *Window, now time.Time) (Action, error) {
		if w.ended(now) {
			return "", nil
		}
		w.cancel(by, now)
		return Cancelled, nil
	})
}

// EndOccurrence ends what goes on of a window now; later occurrences come as planned. Where nothing goes on it answers
// state.ErrConflict.
func (d *Desk) EndOccurrence(ctx context.Context, id, by string, check Precondition) (Window, error) {
	return d.change(ctx, id, check, func(w *Window, now time.Time) (Action, error) {
		times, err := Read(*w)
		if err != nil {
			return "", err
		}
		if _, ok := times.At(now); !ok {
			return "", fmt.Errorf("maintenance window %q is not active: ending its occurrence %w", id, state.ErrConflict)
		}
		if _, ok := times.Next(now); !ok {
			w.cancel(by, now)
			return Cancelled, nil
		}
		w.NotBefore, w.UpdatedAt, w.UpdatedBy = now, now, by
		return OccurrenceEnded, nil
	})
}

// maxAttempts bounds how often a writer that wants to be the last is overtaken.
const maxAttempts = 5

// change reads, checks and changes; once more where another changed the window in between. What is no action stores
// nothing.
func (d *Desk) change(ctx context.Context, id string, check Precondition, do func(*Window, time.Time) (Action, error)) (Window, error) {
	for attempt := 1; ; attempt++ {
		w, err := d.Store.Window(ctx, id)
		if err == nil {
			err = check(w.Version)
		}
		if err != nil {
			return w, err
		}
		did, err := do(&w, d.now())
		if err != nil || did == "" {
			return w, err
		}
		if w, err = d.Store.UpdateWindow(ctx, w, did); !errors.Is(err, state.ErrVersion) || attempt == maxAttempts {
			return w, err
		}
	}
}

func (w *Window) ended(now time.Time) bool { return !w.OverAt.IsZero() && !w.OverAt.After(now) }

func (w *Window) cancel(by string, now time.Time) {
	w.CancelledAt, w.OverAt, w.UpdatedAt, w.UpdatedBy = now, now, now, by
}

// define takes a definition that has not passed yet, in the form that is stored.
func (w *Window) define(def Definition, by string, now time.Time) error {
	def.StartsAt, def.EndsAt = def.StartsAt.UTC().Truncate(time.Microsecond), def.EndsAt.UTC().Truncate(time.Microsecond)
	w.Definition, w.UpdatedAt, w.UpdatedBy = def, now, by
	times, err := Read(*w)
	if err != nil {
		return err
	}
	w.Matchers, w.OverAt = times.Matchers(), times.OverAt()
	if w.ended(now) {
		return &state.FieldError{Field: "endsAt", Message: "must be in the future, or have a recurrence that is: all of the window has passed"}
	}
	return nil
}
