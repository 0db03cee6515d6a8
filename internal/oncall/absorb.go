package oncall

import (
	"context"
	"slices"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
)

// absorption is what an incident takes over.
type absorption struct {
	alerts []alert.Record
	// merged are incidents that end in this one.
	merged []incident.Incident
	// reason is why a mitigated incident is open again, where one of the alerts fires.
	reason string
	// events tell it, before those of what it changes.
	events []incident.TimelineEvent
}

// absorb has an incident take over alerts that are linked to it, and what it is to be told of them.
func (d *Desk) absorb(ctx context.Context, tx incident.Tx, in *incident.Incident, by string, a absorption) (incident.Incident, error) {
	events := slices.Concat(a.events, in.Raise(by, worst(&a)))
	events = append(events, in.AddServices(by, affected(&a))...)
	firing, err := tx.Firing(ctx, []string{in.ID})
	if err != nil {
		return *in, err
	}
	turn := incident.Turn{}
	for i := range a.alerts {
		if a.alerts[i].Status == alert.Firing {
			turn.Began = a.reason
		}
	}
	turned, _ := in.Follow(time.Time{}, firing[in.ID], turn)
	if _, err := tx.UpdateIncident(ctx, *in); err != nil {
		return *in, err
	}
	comments, err := incident.TellComments(ctx, tx, incident.Links{in.ID: ids(a.alerts)})
	if err != nil {
		return *in, err
	}
	return told(ctx, tx, in.ID, append(append(events, turned...), comments...))
}

// worst gives the severity of what is taken over; alert.Info where that is nothing.
func worst(a *absorption) alert.Severity {
	severity := alert.Info
	for i := range a.alerts {
		if s := a.alerts[i].Severity; s.Worse(severity) {
			severity = s
		}
	}
	for i := range a.merged {
		if s := a.merged[i].Severity; s.Worse(severity) {
			severity = s
		}
	}
	return severity
}

func affected(a *absorption) (services []string) {
	for i := range a.alerts {
		services = append(services, incident.ServiceOf(&a.alerts[i].Alert))
	}
	for i := range a.merged {
		services = append(services, a.merged[i].AffectedServices...)
	}
	return services
}
