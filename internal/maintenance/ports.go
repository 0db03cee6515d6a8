package maintenance

import (
	"context"
	"time"

	"github.com/quantivista/monitoring/internal/state"
)

// Action is what was done to a window.
type Action string

// What the history of a window tells.
const (
	Created         Action = "created"
	Changed         Action = "changed"
	OccurrenceEnded Action = "occurrence_ended"
	Cancelled       Action = "cancelled"
)

// Revision is a window as an action left it, which UpdatedBy did at UpdatedAt.
type Revision struct {
	Window
	Action Action
}

// Query selects windows.
type Query struct {
	// OverBy selects those that are over at that time; zero selects all.
	OverBy time.Time
	Page   state.Page
}

// List is one page of windows, those that were made last first.
type List struct {
	Windows []Window
	// Next is the cursor of the page behind this one; empty on the last.
	Next string
}

// MaxLive bounds the windows that are not over.
const MaxLive = 1000

// Reader gives stored windows.
type Reader interface {
	// Window answers state.ErrNotFound for an unknown ID.
	Window(ctx context.Context, id string) (Window, error)
	Windows(ctx context.Context, q Query) (List, error)
	// WindowHistory gives what was done to a window, the last first, at most limit. It answers state.ErrNotFound for an
	// unknown ID.
	WindowHistory(ctx context.Context, id string, limit int) ([]Revision, error)
	// WindowsRevision counts all changes of windows, by any replica.
	WindowsRevision(ctx context.Context) (int64, error)
	// LiveWindows gives the windows that are not over at a time, and a revision that they are at least as new as.
	LiveWindows(ctx context.Context, at time.Time) ([]Window, int64, error)
}

// Store keeps windows and everything that was done to them.
type Store interface {
	Reader
	// CreateWindow stores a new window and gives it as stored. An empty ID is filled in. It answers state.ErrConflict
	// where there are MaxLive already that are not over at w.CreatedAt.
	CreateWindow(ctx context.Context, w Window) (Window, error)
	// UpdateWindow stores everything but ID and creation, and gives the window as stored. w.Version must be the stored
	// one, else state.ErrVersion.
	UpdateWindow(ctx context.Context, w Window, did Action) (Window, error)
}
