package alertmanager

import (
	"context"
	"time"
)

// SilenceState says whether a silence is in force.
type SilenceState string

// A silence is pending before its start, and expired from its end on.
const (
	SilencePending SilenceState = "pending"
	SilenceActive  SilenceState = "active"
	SilenceExpired SilenceState = "expired"
)

// Silence keeps the alerts that all its matchers match from notifying, and from opening incidents.
type Silence struct {
	ID string
	// Matchers in Alertmanager's syntax.
	Matchers                    []string
	StartsAt, EndsAt, UpdatedAt time.Time
	CreatedBy, Comment          string
	State                       SilenceState
}

// Silencer keeps the silences of an Alertmanager. What is changed is stored, where there is a store, when a call returns; an
// unknown ID is answered by state.ErrNotFound, a store that is away by state.ErrUnavailable.
type Silencer interface {
	// Silences gives all that are kept, those that end last first.
	Silences(ctx context.Context) ([]Silence, error)
	Silence(ctx context.Context, id string) (Silence, error)
	// SetSilence makes a silence, or changes the one of the ID, and gives it as stored: the ID is another one where what it
	// matches changed. What is wrong with it is a *FieldError.
	SetSilence(ctx context.Context, s Silence) (Silence, error)
	// ExpireSilence ends it now. One that has ended stays as it is.
	ExpireSilence(ctx context.Context, id string) error
}

// FieldError names the field of a silence that is not valid, and says what would be right.
type FieldError struct{ Field, Reason string }

// Error is what it says.
func (e *FieldError) Error() string { return e.Field + " " + e.Reason }
