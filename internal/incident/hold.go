package incident

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/state"
)

// isMuted says whether an alert that is in no incident is to stay out of them, and remembers it either way.
func (r *correlation) isMuted(c *alert.Change) bool {
	by := r.mutes(&c.After.Alert)
	if len(by) == 0 {
		r.unmuted = append(r.unmuted, c.After.ID)
		return false
	}
	r.muted[c.After.ID] = Muted{AlertID: c.After.ID, At: r.at, By: by, Held: c.After.Status == alert.Firing}
	return true
}

// hold stores what is muted, and that the rest is not. Where the own incident of a muted alert was reopened meanwhile,
// that has it.
func (r *correlation) hold(ctx context.Context) error {
	for _, c := range r.unclaimed(r.silent) {
		if began(c) {
			r.outcome.AlertsMuted++
		}
	}
	maps.DeleteFunc(r.muted, func(id string, _ Muted) bool { return r.claimed[id] != "" })
	muted := slices.SortedFunc(maps.Values(r.muted), func(a, b Muted) int { return cmp.Compare(a.AlertID, b.AlertID) })
	if err := r.tx.Mute(ctx, muted); err != nil {
		return err
	}
	return r.tx.Unmute(ctx, r.unmuted)
}

// They bound what one transaction lets go, and what one sweep looks at.
const (
	releaseSize  = 200
	releasePages = 50
)

// releases knows how far the last sweep has looked through the alerts that are held.
type releases struct {
	mu    sync.Mutex
	after string
}

// release lets the alerts go that nothing mutes any more, and keeps why the others are held. Replicas may do so
// together. refused tells of alerts that their incidents would not take; they stay held.
func (c *Correlator) release(ctx context.Context) (total Outcome, refused, err error) {
	c.releases.mu.Lock()
	defer c.releases.mu.Unlock()
	for range releasePages {
		held, err := c.store.HeldAlerts(ctx, c.releases.after, releaseSize)
		if err != nil {
			return total, nil, err
		}
		outcome, no, err := c.reconsider(ctx, held)
		total.add(&outcome)
		refused = errors.Join(refused, no)
		if err != nil {
			return total, nil, err
		}
		if len(held) < releaseSize {
			c.releases.after = ""
			break
		}
		c.releases.after = held[len(held)-1].ID
	}
	return total, refused, nil
}

// reconsider lets those of the alerts go whose mutes have ended. Most of what is held stays so, and costs no
// transaction.
func (c *Correlator) reconsider(ctx context.Context, held []HeldAlert) (outcome Outcome, refused, err error) {
	mutes, err := c.muting(ctx, c.now())
	if err != nil {
		return outcome, nil, err
	}
	held = slices.DeleteFunc(held, func(h HeldAlert) bool { return slices.Equal(mutes(&h.Alert), h.By) })
	return c.letGo(ctx, slices.Clip(held), mutes)
}

// letGo halves what is refused until the alerts that it is about are alone.
func (c *Correlator) letGo(ctx context.Context, held []HeldAlert, mutes mutes) (outcome Outcome, refused, err error) {
	if len(held) == 0 {
		return outcome, nil, nil
	}
	err = c.store.Write(ctx, func(ctx context.Context, tx Tx) (err error) {
		outcome, err = c.takeUp(ctx, tx, held, mutes)
		return err
	})
	switch {
	case err == nil:
		return outcome, nil, nil
	case !errors.Is(err, state.ErrInvalid) && !errors.Is(err, state.ErrConflict):
		return Outcome{}, nil, err
	case len(held) == 1:
		return Outcome{}, fmt.Errorf("alert %q (%s), which is not muted any more: %w", held[0].Name(), held[0].ID, err), nil
	}
	outcome, refused, err = c.letGo(ctx, held[:len(held)/2], mutes)
	if err != nil {
		return outcome, nil, err
	}
	rest, no, err := c.letGo(ctx, held[len(held)/2:], mutes)
	outcome.add(&rest)
	return outcome, errors.Join(refused, no), err
}

// takeUp correlates alerts that are held still: another replica may have been faster, or they have ended.
func (c *Correlator) takeUp(ctx context.Context, tx Tx, held []HeldAlert, mutes mutes) (Outcome, error) {
	by := make(map[string][]alert.Mute, len(held))
	for _, h := range held {
		by[h.ID] = h.By
	}
	records, err := tx.StillHeld(ctx, slices.Sorted(maps.Keys(by)))
	if err != nil {
		return Outcome{}, err
	}
	changes := make([]alert.Change, len(records))
	for i := range records {
		changes[i].After = records[i]
	}
	outcome, err := c.correlate(ctx, tx, changes, mutes, by)
	outcome.AlertsReleased = len(records) - outcome.AlertsMuted
	outcome.AlertsFired, outcome.AlertsMuted = 0, 0 // they were counted when they began
	return outcome, err
}
