package oncall

import (
	"context"
	"fmt"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/state"
)

// Note is what a person says who takes note.
type Note struct {
	// By is who has taken note.
	By, Comment string
	// ExpiresAt is zero for one that does not expire by itself.
	ExpiresAt time.Time
}

// AcknowledgeAlert takes note of a firing alert.
func (d *Desk) AcknowledgeAlert(ctx context.Context, id, by string, n Note) (alert.Record, error) {
	return write(ctx, d, func(ctx context.Context, tx incident.Tx) (record alert.Record, err error) {
		a, err := n.take(ctx, tx, incident.Acknowledgement{AlertID: id})
		if err != nil {
			return record, err
		}
		if record, err = tx.Alert(ctx, id); err != nil {
			return record, err
		}
		err = tellOfAlert(ctx, tx, &record, a.event(by, fmt.Sprintf("Alert '%s' acknowledged", record.Name()), record.LastStart()))
		return record, err
	})
}

// AcknowledgeIncident takes note of an unresolved incident, and of the alerts that are in it.
func (d *Desk) AcknowledgeIncident(ctx context.Context, id, by string, n Note) (incident.Incident, error) {
	return write(ctx, d, func(ctx context.Context, tx incident.Tx) (incident.Incident, error) {
		a, err := n.take(ctx, tx, incident.Acknowledgement{IncidentID: id})
		if err != nil {
			return incident.Incident{}, err
		}
		in, err := tx.Incident(ctx, id)
		if err != nil {
			return in, err
		}
		event := a.event(by, "Acknowledged", in.CreatedAt)
		event.IncidentID = id
		return told(ctx, tx, id, []incident.TimelineEvent{event})
	})
}

// WithdrawAlert takes the acknowledgement of an alert back.
func (d *Desk) WithdrawAlert(ctx context.Context, id, by string) error {
	return d.Store.Write(ctx, func(ctx context.Context, tx incident.Tx) error {
		a, err := tx.WithdrawAlert(ctx, id, by)
		if err != nil {
			return err
		}
		record, err := tx.Alert(ctx, id)
		if err != nil {
			return err
		}
		return tellOfAlert(ctx, tx, &record, withdrawn(&a, by, fmt.Sprintf("Acknowledgement of alert '%s' taken back", record.Name())))
	})
}

// WithdrawIncident takes the acknowledgement of an incident back.
func (d *Desk) WithdrawIncident(ctx context.Context, id, by string) error {
	return d.Store.Write(ctx, func(ctx context.Context, tx incident.Tx) error {
		a, err := tx.WithdrawIncident(ctx, id, by)
		if err != nil {
			return err
		}
		event := withdrawn(&a, by, "Acknowledgement taken back")
		event.IncidentID = id
		_, err = tx.AppendEvents(ctx, event)
		return err
	})
}

// taken is a stored acknowledgement.
type taken struct{ incident.Acknowledgement }

func (n *Note) take(ctx context.Context, tx incident.Tx, a incident.Acknowledgement) (taken, error) {
	a.By, a.Comment, a.ExpiresAt = n.By, n.Comment, n.ExpiresAt
	stored, err := tx.Acknowledge(ctx, a)
	return taken{stored}, err
}

// event tells of the acknowledgement of something that began at a time.
func (a taken) event(by, what string, began time.Time) incident.TimelineEvent {
	content := fmt.Sprintf("%s by '%s'", what, a.By)
	metadata := map[string]any{
		"acknowledgementId": a.ID, "acknowledgedBy": a.By, "timeToAcknowledgeSeconds": max(0, a.At.Sub(began).Seconds()),
	}
	if !a.ExpiresAt.IsZero() {
		expires := a.ExpiresAt.Format(time.RFC3339)
		content += " until " + expires
		metadata["expiresAt"] = expires
	}
	if a.Comment != "" {
		content += ": " + a.Comment
		metadata["comment"] = a.Comment
	}
	if a.AlertID != "" {
		metadata["alertId"] = a.AlertID
	}
	return incident.TimelineEvent{Type: incident.Action, CreatedBy: by, Content: content, Metadata: metadata}
}

func withdrawn(a *incident.Acknowledgement, by, content string) incident.TimelineEvent {
	metadata := map[string]any{"acknowledgementId": a.ID, "acknowledgedBy": a.By}
	if a.AlertID != "" {
		metadata["alertId"] = a.AlertID
	}
	return incident.TimelineEvent{Type: incident.Action, CreatedBy: by, Content: content, Metadata: metadata}
}

// tellOfAlert adds an event to the incident of an alert, where it is in one.
func tellOfAlert(ctx context.Context, tx incident.Tx, record *alert.Record, event incident.TimelineEvent) error {
	linked, err := tx.LinkedAlerts(ctx, []string{record.ID})
	if err != nil || linked[record.ID] == "" {
		return err
	}
	event.IncidentID = linked[record.ID]
	_, err = tx.AppendEvents(ctx, event)
	return err
}

// CheckExpiry says what is wrong with the time at which an acknowledgement is to expire.
func CheckExpiry(at, now time.Time) error {
	if !at.IsZero() && !at.After(now) {
		return &state.FieldError{Field: "expiresAt", Message: "must be in the future, is " + at.Format(time.RFC3339)}
	}
	return nil
}
