// Package oncall is what people do to incidents and alerts by hand. Each change is one transaction, its timeline
// events included.
package oncall

import (
	"context"
	"fmt"

	"github.com/quantivista/monitoring/internal/incident"
)

// Desk makes changes. It is safe for concurrent use.
type Desk struct {
	Store incident.Writer
}

// Precondition ends a change with its error, where the stored version is not the one that the caller knows.
type Precondition func(version int64) error

// write runs do in a transaction, and gives what it made.
func write[T any](ctx context.Context, d *Desk, do func(context.Context, incident.Tx) (T, error)) (made T, err error) {
	err = d.Store.Write(ctx, func(ctx context.Context, tx incident.Tx) error {
		var err error
		made, err = do(ctx, tx)
		return err
	})
	return made, err
}

// statusChange is the event of a changed status.
func statusChange(id, by string, from, to incident.Status) incident.TimelineEvent {
	return incident.TimelineEvent{
		IncidentID: id, Type: incident.StatusChange, CreatedBy: by,
		Content:  fmt.Sprintf("Status changed from '%s' to '%s'", from, to),
		Metadata: map[string]any{"oldStatus": string(from), "newStatus": string(to)},
	}
}

func comment(id, by, text string) incident.TimelineEvent {
	return incident.TimelineEvent{IncidentID: id, Type: incident.Comment, CreatedBy: by, Content: text}
}
