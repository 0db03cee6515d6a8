package alert

import (
	"context"
	"time"
)

// MuteKind says what mutes an alert.
type MuteKind string

// What mutes alerts.
const (
	MutedByMaintenance MuteKind = "maintenance"
	MutedBySilence     MuteKind = "silence"
	MutedByInhibition  MuteKind = "inhibition"
)

// Mute is one reason for which an alert is recorded and does nothing else.
type Mute struct {
	Kind MuteKind `json:"kind"`
	// ID is the maintenance window, the silence, or the fingerprint of the alert that inhibits.
	ID string `json:"id"`
	// Name tells people; empty where there is none.
	Name string `json:"name,omitempty"`
}

// Muting gives what answers, for any number of alerts, by what each is muted at a time; nil for one that is not. It is
// asked once for a batch, before the transaction that stores it. After an error nothing is known, and the same call
// may succeed later.
type Muting func(ctx context.Context, at time.Time) (func(*Alert) []Mute, error)

// AnyMuting mutes what any of several does.
func AnyMuting(all ...Muting) Muting {
	return func(ctx context.Context, at time.Time) (func(*Alert) []Mute, error) {
		each := make([]func(*Alert) []Mute, len(all))
		for i, muting := range all {
			mutes, err := muting(ctx, at)
			if err != nil {
				return nil, err
			}
			each[i] = mutes
		}
		return func(a *Alert) (reasons []Mute) {
			for _, mutes := range each {
				reasons = append(reasons, mutes(a)...)
			}
			return reasons
		}, nil
	}
}
