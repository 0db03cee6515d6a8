package alertmanagerextension

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/alertmanager/silence/silencepb"

	"github.com/quantivista/monitoring/internal/alertmanager"
	"github.com/quantivista/monitoring/internal/state"
)

// serveSilenceChange answers a request that makes, changes or expires a silence once that is stored. Where it cannot
// be stored the change is undone, and the answer is 503.
func (k *keeper) serveSilenceChange(w http.ResponseWriter, r *http.Request) {
	answer := &held{header: http.Header{}, status: http.StatusOK}
	err := k.changeSilences(r.Context(), func() error {
		k.engine.Handler().ServeHTTP(answer, r)
		return nil
	})
	switch {
	case errors.Is(err, state.ErrUnavailable):
		w.Header().Set("Retry-After", "5")
		text(w, http.StatusServiceUnavailable, err.Error()+"\n")
	case err != nil:
		text(w, http.StatusInternalServerError, err.Error()+"\n")
	default:
		answer.send(w)
	}
}

// changeSilences stores what do changes, or undoes it and answers state.ErrUnavailable.
func (k *keeper) changeSilences(ctx context.Context, do func() error) error {
	k.turn.Lock()
	defer k.turn.Unlock()
	before, err := k.silences(ctx)
	if err != nil {
		return err
	}
	waiting := k.takeChanged()
	failed := do()
	changed := k.takeChanged()
	k.giveBack(waiting)

	// A client that went away does not undo what it asked for.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	if err := k.saveSilences(ctx, changed); err != nil {
		undone := k.undo(changed, before)
		k.logger.Error("A silence could not be stored, and is undone", "err", errors.Join(err, undone))
		if !errors.Is(err, state.ErrUnavailable) {
			err = fmt.Errorf("%w: %w", state.ErrUnavailable, err)
		}
		return fmt.Errorf("the silence was not changed, since it cannot be stored for now: %w", err)
	}
	return failed
}

// saveSilences stores silences in the form in which they were announced.
func (k *keeper) saveSilences(ctx context.Context, changed [][]byte) error {
	if len(changed) == 0 {
		return nil
	}
	entries := make([]alertmanager.Entry, len(changed))
	for i, data := range changed {
		var err error
		if entries[i], err = silenceEntry(data); err != nil {
			return err
		}
	}
	return k.store.SaveEntries(ctx, entries...)
}

// silences gives all, by ID.
func (k *keeper) silences(ctx context.Context) (map[string]*silencepb.Silence, error) {
	all, _, err := k.engine.Silences().Query(ctx)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*silencepb.Silence, len(all))
	for _, s := range all {
		byID[s.Id] = s
	}
	return byID, nil
}

// undone is how long a silence that was never stored is seen, expired.
const undoneSeen = time.Minute

// undo puts silences back into the form that they had, as a later one, since only the later of two holds. One that is
// new is expired: Alertmanager deletes none.
func (k *keeper) undo(changed [][]byte, before map[string]*silencepb.Silence) error {
	var errs []error
	for _, data := range changed {
		failed, err := readSilence(data)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		now := failed.Silence.UpdatedAt.Add(time.Nanosecond) // before whatever is changed next
		if old := before[failed.Silence.Id]; old != nil {
			restored := *old
			restored.UpdatedAt = now
			failed = &silencepb.MeshSilence{Silence: &restored, ExpiresAt: old.EndsAt.Add(k.cfg.Retention)}
		} else {
			ended := now.Add(-2 * time.Nanosecond)
			failed.Silence.StartsAt, failed.Silence.EndsAt, failed.Silence.UpdatedAt = ended, ended, now
			failed.ExpiresAt = now.Add(undoneSeen)
		}
		form, err := delimited(failed)
		if err == nil {
			err = k.engine.Silences().Merge(form)
		}
		errs = append(errs, err)
	}
	k.takeChanged() // what was undone was never stored
	return errors.Join(errs...)
}

// held is an answer that waits.
type held struct {
	header http.Header
	status int
	body   []byte
}

// Header implements http.ResponseWriter.
func (h *held) Header() http.Header { return h.header }

// WriteHeader implements http.ResponseWriter.
func (h *held) WriteHeader(status int) { h.status = status }

// Write implements http.ResponseWriter.
func (h *held) Write(p []byte) (int, error) {
	h.body = append(h.body, p...)
	return len(p), nil
}

func (h *held) send(w http.ResponseWriter) {
	for name, values := range h.header {
		w.Header()[name] = values
	}
	w.WriteHeader(h.status)
	_, _ = w.Write(h.body) // A client that left does not want it.
}
