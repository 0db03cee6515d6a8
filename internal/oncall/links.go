package oncall

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/state"
)

// Link adds alerts to an incident, which takes over their severity, services and comments. Alerts that it has already
// change nothing. An unknown alert answers *UnknownAlertError; a resolved incident and an alert of another unresolved
// one answer state.ErrConflict.
func (d *Desk) Link(ctx context.Context, id, by string, check Precondition, alertIDs []string) (incident.Incident, error) {
	return write(ctx, d, func(ctx context.Context, tx incident.Tx) (incident.Incident, error) {
		in, err := known(ctx, tx, id, check)
		if err != nil {
			return in, err
		}
		linked, err := link(ctx, tx, id, alertIDs)
		if err != nil || len(linked) == 0 {
			return in, err
		}
		event := incident.TimelineEvent{
			IncidentID: id, Type: incident.AlertEvent, CreatedBy: by, Content: "Alerts linked: " + names(linked),
			Metadata: map[string]any{"alertIds": ids(linked), "oldIncidentId": nil, "newIncidentId": id},
		}
		return d.absorb(ctx, tx, &in, by, absorption{alerts: linked, reason: "a firing alert was linked", events: []incident.TimelineEvent{event}})
	})
}

// link links the alerts that an incident does not have yet, and gives these.
func link(ctx context.Context, tx incident.Tx, id string, alertIDs []string) ([]alert.Record, error) {
	before, err := tx.AlertIDs(ctx, id)
	if err != nil {
		return nil, err
	}
	has := make(map[string]bool, len(before))
	for _, a := range before {
		has[a] = true
	}
	var missing []string
	for _, a := range sortedOnce(alertIDs) {
		if !has[a] {
			missing = append(missing, a)
		}
	}
	if err := tx.LinkAlerts(ctx, incident.Links{id: missing}); err != nil {
		return nil, unknownAlert(err)
	}
	return tx.AlertsByID(ctx, missing)
}

// Unlink takes an alert from an incident. It joins none by itself until it fires anew. An alert that the incident does
// not have answers state.ErrNotFound, a resolved incident state.ErrConflict.
func (d *Desk) Unlink(ctx context.Context, id, by string, check Precondition, alertID string) (incident.Incident, error) {
	return write(ctx, d, func(ctx context.Context, tx incident.Tx) (incident.Incident, error) {
		in, err := known(ctx, tx, id, check)
		if err != nil {
			return in, err
		}
		if in.Status == incident.Resolved {
			return in, fmt.Errorf("incident %q is resolved, and keeps its alerts: taking one from it %w", id, state.ErrConflict)
		}
		linked, err := tx.LinkedAlerts(ctx, []string{alertID})
		if err == nil && linked[alertID] != id {
			err = fmt.Errorf("alert %q in incident %q: %w", alertID, id, state.ErrNotFound)
		}
		if err != nil {
			return in, err
		}
		records, err := tx.AlertsByID(ctx, []string{alertID})
		if err != nil {
			return in, err
		}
		if err := tx.UnlinkAlerts(ctx, id, []string{alertID}); err != nil {
			return in, err
		}
		if err := tx.DetachAlerts(ctx, []string{alertID}); err != nil {
			return in, err
		}
		return d.release(ctx, tx, &in, by, &records[0])
	})
}

// release turns an incident that an alert was taken from. One that a person opened is not over because it has no alert.
func (d *Desk) release(ctx context.Context, tx incident.Tx, in *incident.Incident, by string, taken *alert.Record) (incident.Incident, error) {
	events := []incident.TimelineEvent{{
		IncidentID: in.ID, Type: incident.AlertEvent, CreatedBy: by, Content: "Alert unlinked: " + taken.Name(),
		Metadata: map[string]any{"alertId": taken.ID, "alertName": taken.Name(), "oldIncidentId": in.ID, "newIncidentId": nil},
	}}
	left, err := tx.AlertIDs(ctx, in.ID)
	if err != nil {
		return *in, err
	}
	firing, err := tx.Firing(ctx, []string{in.ID})
	if err != nil {
		return *in, err
	}
	if taken.Status == alert.Firing && (len(left) > 0 || in.CorrelationKey != "") {
		turned, _ := in.Follow(time.Time{}, firing[in.ID], incident.Turn{Ended: "no alert that is left fires"})
		events = append(events, turned...)
	}
	if _, err := tx.UpdateIncident(ctx, *in); err != nil {
		return *in, err
	}
	return told(ctx, tx, in.ID, events)
}

// known gives an incident that the precondition takes.
func known(ctx context.Context, tx incident.Tx, id string, check Precondition) (incident.Incident, error) {
	in, err := tx.Incident(ctx, id)
	if err == nil {
		err = check(in.Version)
	}
	return in, err
}

func ids(records []alert.Record) []string {
	all := make([]string, len(records))
	for i := range records {
		all[i] = records[i].ID
	}
	return all
}

// maxNames bounds how many alerts an event names.
const maxNames = 5

func names(records []alert.Record) string {
	var shown []string
	for i := range records[:min(len(records), maxNames)] {
		shown = append(shown, records[i].Name())
	}
	if more := len(records) - maxNames; more > 0 {
		shown = append(shown, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(shown, ", ")
}
