package oncall

import (
	"context"
	"fmt"
	"strings"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/state"
)

// Merge is what a person merges into an incident.
type Merge struct {
	// From are the incidents that end.
	From []string
	// Comment becomes an event of the incident that stays, unless it is empty.
	Comment string
}

// UnknownIncidentError answers a merge of an incident that is not stored, or that is the target itself.
type UnknownIncidentError struct{ Err error }

// Error names the incident.
func (e *UnknownIncidentError) Error() string { return e.Err.Error() }

// Merge makes incidents part of another one, which takes over their alerts, severity and services, and from then on
// the alerts of their correlation keys. They are resolved for good, and keep timeline and links as they were. A
// resolved incident on either side answers state.ErrConflict.
func (d *Desk) Merge(ctx context.Context, id, by string, check Precondition, m Merge) (incident.Incident, error) {
	return write(ctx, d, func(ctx context.Context, tx incident.Tx) (incident.Incident, error) {
		in, err := known(ctx, tx, id, check)
		if err == nil {
			err = checkMergeable(&in)
		}
		if err != nil {
			return in, err
		}
		merged, err := m.incidents(ctx, tx, id)
		if err != nil {
			return in, err
		}
		var alerts []alert.Record
		for i := range merged {
			moved, err := mergeOne(ctx, tx, &in, &merged[i], by)
			if err != nil {
				return in, err
			}
			alerts = append(alerts, moved...)
		}
		events := []incident.TimelineEvent{mergeEvent(id, by, merged, alerts)}
		if m.Comment != "" {
			events = append(events, comment(id, by, m.Comment))
		}
		return d.absorb(ctx, tx, &in, by, absorption{alerts: alerts, merged: merged, reason: "an alert of a merged incident fires", events: events})
	})
}

// incidents gives those to merge.
func (m *Merge) incidents(ctx context.Context, tx incident.Tx, into string) ([]incident.Incident, error) {
	ids := sortedOnce(m.From)
	stored, err := tx.IncidentsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	merged := make([]incident.Incident, 0, len(ids))
	for _, id := range ids {
		in, is := stored[id]
		switch {
		case id == into:
			return nil, &UnknownIncidentError{fmt.Errorf("incident %q cannot be merged into itself", id)}
		case !is:
			return nil, &UnknownIncidentError{fmt.Errorf("incident %q: %w", id, state.ErrNotFound)}
		}
		if err := checkMergeable(&in); err != nil {
			return nil, err
		}
		merged = append(merged, in)
	}
	return merged, nil
}

func checkMergeable(in *incident.Incident) error {
	if in.Status != incident.Resolved {
		return nil
	}
	return fmt.Errorf("incident %q is resolved, and only unresolved ones are merged: that %w", in.ID, state.ErrConflict)
}

// mergeOne resolves an incident, has its alerts and its key go to another, and gives the alerts.
func mergeOne(ctx context.Context, tx incident.Tx, into, merged *incident.Incident, by string) ([]alert.Record, error) {
	ids, err := tx.AlertIDs(ctx, merged.ID)
	if err != nil {
		return nil, err
	}
	from := merged.Status
	merged.Status, merged.MergedInto = incident.Resolved, into.ID
	if _, err := tx.UpdateIncident(ctx, *merged); err != nil {
		return nil, err
	}
	event := statusChange(merged.ID, by, from, incident.Resolved)
	event.Content += fmt.Sprintf(": merged into '%s'", into.Title)
	event.Metadata["mergedInto"] = into.ID
	if _, err := tx.AppendEvents(ctx, event); err != nil {
		return nil, err
	}
	if err := tx.RedirectKeys(ctx, merged.ID, into.ID); err != nil {
		return nil, err
	}
	return link(ctx, tx, into.ID, ids)
}

func mergeEvent(id, by string, merged []incident.Incident, alerts []alert.Record) incident.TimelineEvent {
	titles, incidentIDs := make([]string, len(merged)), make([]string, len(merged))
	for i := range merged {
		titles[i], incidentIDs[i] = "'"+merged[i].Title+"'", merged[i].ID
	}
	return incident.TimelineEvent{
		IncidentID: id, Type: incident.Action, CreatedBy: by, Content: "Merged: " + strings.Join(titles, ", "),
		Metadata: map[string]any{"mergedIncidentIds": incidentIDs, "alertIds": ids(alerts)},
	}
}
