package oncall

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/state"
)

// NewIncident is an incident that a person opens.
type NewIncident struct {
	Title, Description string
	Severity           alert.Severity
	AffectedServices   []string
	// AlertIDs are the alerts that it begins with.
	AlertIDs []string
}

// UnknownAlertError answers a request for an incident with an alert that is not stored.
type UnknownAlertError struct{ Err error }

// Error names the alert.
func (e *UnknownAlertError) Error() string { return e.Err.Error() }

// unknownAlert marks an error that an alert of a request is not stored.
func unknownAlert(err error) error {
	if errors.Is(err, state.ErrNotFound) {
		return &UnknownAlertError{err}
	}
	return err
}

// Open opens an incident.
func (d *Desk) Open(ctx context.Context, by string, n *NewIncident) (incident.Incident, error) {
	return write(ctx, d, func(ctx context.Context, tx incident.Tx) (incident.Incident, error) {
		in, err := tx.CreateIncident(ctx, incident.Incident{
			Title: n.Title, Description: n.Description, Severity: n.Severity, Status: incident.Open, CreatedBy: by,
			AffectedServices: sortedOnce(n.AffectedServices),
		})
		if err != nil {
			return in, err
		}
		events := []incident.TimelineEvent{{
			IncidentID: in.ID, Type: incident.System, CreatedBy: by, Content: "Incident opened",
			Metadata: map[string]any{"newStatus": string(in.Status), "newSeverity": string(in.Severity)},
		}}
		if ids := sortedOnce(n.AlertIDs); len(ids) > 0 {
			if err := tx.LinkAlerts(ctx, incident.Links{in.ID: ids}); err != nil {
				return in, unknownAlert(err)
			}
			events = append(events, incident.TimelineEvent{
				IncidentID: in.ID, Type: incident.AlertEvent, CreatedBy: by,
				Content: fmt.Sprintf("Alerts added: %d", len(ids)), Metadata: map[string]any{"alertIds": ids},
			})
			comments, err := incident.TellComments(ctx, tx, incident.Links{in.ID: ids})
			if err != nil {
				return in, err
			}
			events = append(events, comments...)
		}
		return told(ctx, tx, in.ID, events)
	})
}

// told adds the events of a change, and gives the incident as it is then.
func told(ctx context.Context, tx incident.Tx, id string, events []incident.TimelineEvent) (incident.Incident, error) {
	if _, err := tx.AppendEvents(ctx, events...); err != nil {
		return incident.Incident{}, err
	}
	return tx.Incident(ctx, id)
}

// sortedOnce gives a sorted copy without doubles.
func sortedOnce(texts []string) []string {
	texts = slices.Clone(texts)
	slices.Sort(texts)
	return slices.Compact(texts)
}

// IncidentChange is what a person changes of an incident.
type IncidentChange struct {
	Status incident.Status
	// Comment becomes an event, unless it is empty.
	Comment string
	// AssignedTo is nil where it stays as it is, and empty for nobody.
	AssignedTo *string
}

// Change changes an incident. What changes nothing stores nothing. An illegal status answers *incident.TransitionError.
func (d *Desk) Change(ctx context.Context, id, by string, check Precondition, c IncidentChange) (incident.Incident, error) {
	return write(ctx, d, func(ctx context.Context, tx incident.Tx) (incident.Incident, error) {
		in, err := known(ctx, tx, id, check)
		if err != nil {
			return in, err
		}
		events := c.apply(&in, by)
		if len(events) == 0 {
			return in, nil
		}
		if err := checkKeyIsFree(ctx, tx, &in); err != nil {
			return in, err
		}
		if in, err = tx.UpdateIncident(ctx, in); err != nil {
			return in, err
		}
		return told(ctx, tx, id, events)
	})
}

// apply makes the change and tells it.
func (c *IncidentChange) apply(in *incident.Incident, by string) (events []incident.TimelineEvent) {
	if c.Status != in.Status {
		events = append(events, statusChange(in.ID, by, in.Status, c.Status))
		in.Status = c.Status
	}
	if c.AssignedTo != nil && *c.AssignedTo != in.AssignedTo {
		e := incident.TimelineEvent{
			IncidentID: in.ID, Type: incident.Action, CreatedBy: by, Content: fmt.Sprintf("Assigned to '%s'", *c.AssignedTo),
			Metadata: map[string]any{"oldAssignedTo": in.AssignedTo, "newAssignedTo": *c.AssignedTo},
		}
		if *c.AssignedTo == "" {
			e.Content = "Assigned to nobody"
		}
		events = append(events, e)
		in.AssignedTo = *c.AssignedTo
	}
	if c.Comment != "" {
		events = append(events, comment(in.ID, by, c.Comment))
	}
	return events
}

// checkKeyIsFree tells in words that a resolved incident cannot be reopened beside the one that took its place.
func checkKeyIsFree(ctx context.Context, tx incident.Tx, in *incident.Incident) error {
	if in.Status == incident.Resolved || in.CorrelationKey == "" {
		return nil
	}
	unresolved, err := tx.UnresolvedByKey(ctx, []string{in.CorrelationKey})
	if other, ok := unresolved[in.CorrelationKey]; err == nil && ok && other.ID != in.ID {
		return fmt.Errorf("the alerts of incident %q go to the unresolved incident %q now: reopening it %w", in.ID, other.ID, state.ErrConflict)
	}
	return err
}

// Note adds an event to an incident's timeline.
func (d *Desk) Note(ctx context.Context, event incident.TimelineEvent) (incident.TimelineEvent, error) {
	return write(ctx, d, func(ctx context.Context, tx incident.Tx) (incident.TimelineEvent, error) {
		stored, err := tx.AppendEvents(ctx, event)
		if err != nil {
			return incident.TimelineEvent{}, err
		}
		return stored[0], nil
	})
}
