package oncall

import (
	"context"
	"fmt"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
)

// AlertChange is what a person changes of an alert.
type AlertChange struct {
	Status alert.Status
	// ResolvedBy is who is remembered for a resolved one.
	ResolvedBy string
	// Comment becomes an event of the alert's incident, unless it is empty.
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
		if changed.IncidentID == "" {
			return changed, nil
		}
		if _, err := tx.AppendEvents(ctx, c.events(changed.IncidentID, by, &change)...); err != nil {
			return changed, err
		}
		if change.Before.Status == change.After.Status {
			return changed, nil
		}
		return changed, follow(ctx, tx, changed.IncidentID)
	})
}

func (c *AlertChange) apply(ctx context.Context, tx incident.Tx, id string) (alert.Change, error) {
	if c.Status == alert.Resolved {
		return tx.ResolveAlert(ctx, id, 0, c.ResolvedBy)
	}
	return tx.ReopenAlert(ctx, id, 0)
}

func (c *AlertChange) events(incidentID, by string, change *alert.Change) (events []incident.TimelineEvent) {
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
	if c.Comment != "" {
		said := comment(incidentID, by, c.Comment)
		said.Metadata = map[string]any{"alertId": change.After.ID}
		events = append(events, said)
	}
	return events
}

// follow lets an incident that correlates alerts go with them: it is mitigated when none fires any more, and open
// when one does again. An incident that a person opened is that person's to change.
func follow(ctx context.Context, tx incident.Tx, id string) error {
	in, err := tx.Incident(ctx, id)
	if err != nil || in.CorrelationKey == "" {
		return err
	}
	counts, err := tx.FiringCounts(ctx, []string{id})
	if err != nil {
		return err
	}
	before := in.Status
	switch firing := counts[id] > 0; {
	case !firing && in.Status != incident.Mitigated:
		in.Status = incident.Mitigated
	case firing && in.Status == incident.Mitigated:
		in.Status = incident.Open
	default:
		return nil
	}
	if in, err = tx.UpdateIncident(ctx, in); err != nil {
		return err
	}
	_, err = tx.AppendEvents(ctx, statusChange(id, incident.Author, before, in.Status))
	return err
}
