package alertmanager

import (
	"context"
	"time"
)

// Decider tells what becomes of an alert now.
type Decider interface {
	// Decide answers for a label set whether or not an alert of it is held. It answers ErrNotReady before the first
	// configuration.
	Decide(ctx context.Context, labels map[string]string) (Decision, error)
}

// Decision is what becomes of an alert.
type Decision struct {
	// Held says that the Alertmanager has the alert.
	Held bool
	Muting
	// Routes that it takes, in the order of the configuration.
	Routes []Route
}

// Route is one that an alert takes, with the group that the alert is in there.
type Route struct {
	// Path has the matchers of each route from the root, such as {}/{severity="critical"}.
	Path        string
	Receiver    string
	GroupKey    string
	GroupLabels map[string]string
	// GroupWait is how long a new group waits, GroupInterval how long one that has new alerts does, RepeatInterval one that
	// has none.
	GroupWait, GroupInterval, RepeatInterval time.Duration
	// NextTurn is when the group is looked at next; zero where it is not there.
	NextTurn time.Time
	// MutedBy are the mute time intervals of the route that hold now, OutsideOf its active time intervals where none of
	// them does.
	MutedBy, OutsideOf []string
	// Integrations is how many the receiver has: with none nobody is told.
	Integrations int
	// Told is what the integrations of the receiver know of the alert. One that was told nothing is not in it.
	Told []Told
}

// Told is when an integration was told last of a group that the alert was in.
type Told struct {
	Integration
	At     time.Time
	Firing bool
}

// Tester sends test notifications.
type Tester interface {
	// Test sends a message about an alert of its own to every integration of a receiver, whether or not a route leads to it,
	// and answers what became of each attempt. It answers state.ErrNotFound for an unknown receiver, and ErrNotReady before
	// the first configuration.
	Test(ctx context.Context, receiver string) ([]Outcome, error)
}

// Outcome is what became of one attempt.
type Outcome struct {
	Integration
	// Reason is why it failed, without secrets; empty where it was sent.
	Reason string
	Took   time.Duration
}
