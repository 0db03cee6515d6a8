package maintenance

import (
	"context"
	"sync"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
)

// Board knows the windows that are not over. Each question costs one small read, which tells whether they have changed:
// an answer is as new as the database. It is safe for concurrent use.
type Board struct {
	store Reader
	// unreadable is told of a stored window that cannot be read; it mutes nothing.
	unreadable func(Window, error)

	mu       sync.Mutex
	loaded   bool
	revision int64
	windows  []*posted
}

// posted is a window with what is known of its state: active or not, from one time until another.
type posted struct {
	window      Window
	times       *Times
	active      bool
	from, until time.Time
}

// NewBoard knows nothing until it is asked.
func NewBoard(store Reader, unreadable func(Window, error)) *Board {
	return &Board{store: store, unreadable: unreadable}
}

// Muting is an alert.Muting.
func (b *Board) Muting(ctx context.Context, at time.Time) (func(*alert.Alert) []alert.Mute, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.refresh(ctx, at); err != nil {
		return nil, err
	}
	return b.known(at), nil
}

// Known answers as Muting did last, without a look at the store: for those who must decide while that is away.
func (b *Board) Known(at time.Time) func(*alert.Alert) []alert.Mute {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.known(at)
}

func (b *Board) known(at time.Time) func(*alert.Alert) []alert.Mute {
	var active []*posted
	for _, p := range b.windows {
		if p.activeAt(at) {
			active = append(active, p)
		}
	}
	return func(a *alert.Alert) (mutes []alert.Mute) {
		for _, p := range active {
			if p.times.Matches(a.Labels) {
				mutes = append(mutes, alert.Mute{Kind: alert.MutedByMaintenance, ID: p.window.ID, Name: p.window.Name})
			}
		}
		return mutes
	}
}

// refresh loads the windows where they have changed.
func (b *Board) refresh(ctx context.Context, at time.Time) error {
	revision, err := b.store.WindowsRevision(ctx)
	if err != nil || (b.loaded && revision == b.revision) {
		return err
	}
	windows, revision, err := b.store.LiveWindows(ctx, at)
	if err != nil {
		return err
	}
	b.windows = b.windows[:0]
	for _, w := range windows {
		times, err := Read(w)
		if err != nil {
			b.unreadable(w, err)
			continue
		}
		b.windows = append(b.windows, &posted{window: w, times: times})
	}
	b.loaded, b.revision = true, revision
	return nil
}

func (p *posted) activeAt(at time.Time) bool {
	if !at.Before(p.from) && at.Before(p.until) {
		return p.active
	}
	var current Occurrence
	current, p.active = p.times.At(at)
	p.from, p.until = at, current.End
	if !p.active {
		if next, ok := p.times.Next(at); ok {
			p.until = next.Start
		} else {
			p.until = at.Add(horizon)
		}
	}
	return p.active
}
