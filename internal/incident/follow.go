package incident

import (
	"slices"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
)

// Turn is what happened to the alerts of an incident, as far as it can turn the incident's status. The texts are the
// reasons that the timeline tells; an empty one says that it did not happen.
type Turn struct {
	// Began: an alert that fires now fired anew, or came to the incident.
	Began string
	// Ended: an alert that fired ended, or was taken from the incident.
	Ended string
}

// TurnOf tells the turn that changes of an incident's alerts are.
func TurnOf(changes ...*alert.Change) (t Turn) {
	if slices.ContainsFunc(changes, func(c *alert.Change) bool { return began(c) && c.After.Status == alert.Firing }) {
		t.Began = "an alert fired again"
	}
	if slices.ContainsFunc(changes, ended) {
		t.Ended = "all alerts are resolved"
	}
	return t
}

// Follow brings an unresolved incident to where its alerts have it, where fires says that one fires now: mitigated when the last
// one ends, and open again when one fires while it is mitigated. What a person has decided stays until then. It gives
// the event that tells a new status, and says whether anything has changed. at may be zero for the time of storing.
func (in *Incident) Follow(at time.Time, fires bool, turn Turn) (events []TimelineEvent, changed bool) {
	var reason string
	from := in.Status
	switch over := !fires && turn.Ended != ""; {
	case over && from == Mitigated:
		in.MitigatedAt = at // the quiet period begins again
		return nil, true
	case over:
		in.Status, reason = Mitigated, turn.Ended
	case turn.Began != "" && from == Mitigated:
		in.Status, reason = Open, turn.Began
	default:
		return nil, false
	}
	return []TimelineEvent{statusEvent(in.ID, at, from, in.Status, reason)}, true
}
