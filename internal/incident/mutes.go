package incident

import (
	"context"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
)

// Muted is an alert that opened and joined no incident, because of what muted it.
type Muted struct {
	AlertID string
	// At is when the correlator found it muted.
	At time.Time
	// By has one reason at least.
	By []alert.Mute
	// Held says that it fires, and joins an incident once nothing mutes it any more. One that is not held ended while it
	// was muted.
	Held bool
}

// MuteReader gives what mutes alerts.
type MuteReader interface {
	// MutesOf gives what is known of each alert that is muted, or was until it ended.
	MutesOf(ctx context.Context, alertIDs []string) (map[string]Muted, error)
	// HeldAlerts gives alerts that are held, with why, by ID behind one, at most limit.
	HeldAlerts(ctx context.Context, after string, limit int) ([]HeldAlert, error)
}

// HeldAlert is an alert that waits for its mutes to end.
type HeldAlert struct {
	alert.Record
	By []alert.Mute
}

// MuteTx holds alerts back.
type MuteTx interface {
	// Mute stores that alerts are muted, in place of what was known. What links an alert, resolves it or reopens its
	// incident ends its hold.
	Mute(ctx context.Context, muted []Muted) error
	// Unmute forgets that alerts are muted.
	Unmute(ctx context.Context, alertIDs []string) error
	// StillHeld gives those of the alerts that are held.
	StillHeld(ctx context.Context, alertIDs []string) ([]alert.Record, error)
}
