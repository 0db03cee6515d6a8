package oncall

import (
	"context"
	"fmt"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
)

// AlertChange is what a person changes of an alert.
type AlertChange struct {
	Status alert.Status
	// ResolvedBy is who is remembered for a resolved one.
	ResolvedBy string
	// Comment is kept with the alert, unless it is empty, and becomes an event of the alert's incident: of the one that
	// it is in, or else of the first that it joins.
	Comment string
}

// ChangedAlert is an alert after a change.
type ChangedAlert struct {
	alert.Record
	// IncidentID is the unresolved incident whose timeline tells the change; empty where the alert is in none.
	IncidentID string
}

// ChangeAlert resolves an alert, or fires it again. What changes nothing stores nothing.
func (d *Desk) ChangeAlert(ctx context.Context, id, by string, check Precondition, c AlertChange) (ChangedAlert, error) {
	return write(ctx, d, func(ctx context.Context, tx incident.Tx) (changed ChangedAlert, err error) {
		change, err := c.apply(ctx, tx, id)
		if err != nil {
			return changed, err
		}
		if err := check(change.Before.Version); err != nil {
			return changed, err
		}
		changed.Record = change.After
		linked, err := tx.LinkedAlerts(ctx, []string{id})
		if err != nil {
			return changed, err
		}
		changed.IncidentID = linked[id]
		events, err := c.events(ctx, tx, changed.IncidentID, by, &change)
		if err != nil || changed.IncidentID == "" {
			return changed, err
		}
		if _, err := tx.AppendEvents(ctx, events...); err != nil {
			return changed, err
		}
		return changed, follow(ctx, tx, changed.IncidentID, incident.TurnOf(&change))
	})
}

func (c *AlertChange) apply(ctx context.Context, tx incident.Tx, id string) (alert.Change, error) {
	if c.Status == alert.Resolved {
		return tx.ResolveAlert(ctx, id, 0, c.ResolvedBy)
	}
	return tx.ReopenAlert(ctx, id, 0)
}

// events stores the comment, and gives the events by which the alert's incident, where there is one, tells the change.
func (c *AlertChange) events(ctx context.Context, tx incident.Tx, incidentID, by string, change *alert.Change) (events []incident.TimelineEvent, err error) {
	before, after := change.Before.Status, change.After.Status
	if before != after {
		metadata := map[string]any{"alertId": change.After.ID, "alertName": change.After.Name(), "oldStatus": string(before), "newStatus": string(after)}
		content := fmt.Sprintf("Alert '%s' fires again", change.After.Name())
		if after == alert.Resolved {
			content = fmt.Sprintf("Alert '%s' resolved by '%s'", change.After.Name(), c.ResolvedBy)
			metadata["resolvedBy"] = c.ResolvedBy
		}
		events = append(events, incident.TimelineEvent{
			IncidentID: incidentID, Type: incident.AlertEvent, CreatedBy: by, Content: content, Metadata: metadata,
		})
	}
	if c.Comment == "" {
		return events, nil
	}
	said, err := tx.CommentAlert(ctx, incident.AlertComment{
		AlertID: change.After.ID, CreatedBy: by, Content: c.Comment, IncidentID: incidentID,
	})
	if err != nil || incidentID == "" {
		return nil, err
	}
	return append(events, incident.CommentEvent(incidentID, &said)), nil
}

// follow brings an incident to where its alerts have it.
func follow(ctx context.Context, tx incident.Tx, id string, turn incident.Turn) error {
	in, err := tx.Incident(ctx, id)
	if err != nil {
		return err
	}
	firing, err := tx.Firing(ctx, []string{id})
	if err != nil {
		return err
	}
	events, changed := in.Follow(time.Time{}, firing[id], turn)
	if !changed {
		return nil
	}
	if _, err := tx.UpdateIncident(ctx, in); err != nil {
		return err
	}
	_, err = tx.AppendEvents(ctx, events...)
	return err
}
