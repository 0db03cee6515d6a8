package incident

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
)

// Correlate has incidents follow changes of stored alerts, within the transaction that made the changes. Alerts that
// are part of an unresolved incident stay with it; others join that of their key, which is reopened or opened where
// there is none.
func (c *Correlator) Correlate(ctx context.Context, tx Tx, changes []alert.Change) (Outcome, error) {
	run := correlation{Correlator: c, tx: tx, at: c.now(), cases: map[string]*incidentCase{}}
	for i := range changes {
		run.outcome.count(&changes[i])
	}
	if err := run.assign(ctx, changes); err != nil {
		return Outcome{}, err
	}
	if err := run.settle(ctx); err != nil {
		return Outcome{}, err
	}
	for events := range slices.Chunk(run.events, eventsPerStatement) {
		if _, err := tx.AppendEvents(ctx, events...); err != nil {
			return Outcome{}, err
		}
	}
	return run.outcome, nil
}

const eventsPerStatement = 1000

// correlation is one run of Correlate.
type correlation struct {
	*Correlator
	tx      Tx
	at      time.Time
	cases   map[string]*incidentCase // by the incident's ID
	outcome Outcome
	events  []TimelineEvent
}

// incidentCase is an incident with what happened to its alerts.
type incidentCase struct {
	Incident
	changes []*alert.Change
	joining []string // alerts that are not linked yet
}

// assign finds the incident of every change that has one or is to get one.
func (r *correlation) assign(ctx context.Context, changes []alert.Change) error {
	ids := make([]string, len(changes))
	for i := range changes {
		ids[i] = changes[i].After.ID
	}
	linked, err := r.tx.LinkedAlerts(ctx, ids)
	if err != nil {
		return err
	}
	known, err := r.tx.IncidentsByID(ctx, slices.Sorted(maps.Values(linked)))
	if err != nil {
		return err
	}
	byKey := map[string][]*alert.Change{}
	for i := range changes {
		change := &changes[i]
		if in, is := known[linked[change.After.ID]]; is {
			r.caseOf(in).take(change)
		} else if began(change) || (change.Worsened() && change.After.Status == alert.Firing) {
			key := keyOf(&change.After.Alert, r.rules.Labels)
			byKey[key] = append(byKey[key], change)
		}
	}
	return r.join(ctx, byKey)
}

func (r *correlation) caseOf(in Incident) *incidentCase {
	if r.cases[in.ID] == nil {
		r.cases[in.ID] = &incidentCase{Incident: in}
	}
	return r.cases[in.ID]
}

func (c *incidentCase) take(changes ...*alert.Change) { c.changes = append(c.changes, changes...) }

// join finds or makes the incident of each key.
func (r *correlation) join(ctx context.Context, byKey map[string][]*alert.Change) error {
	keys := slices.Sorted(maps.Keys(byKey))
	unresolved, err := r.tx.UnresolvedByKey(ctx, keys)
	if err != nil {
		return err
	}
	closed, err := r.tx.ResolvedByKey(ctx, keys, r.reopenSince(byKey))
	if err != nil {
		return err
	}
	for _, key := range keys {
		changes := byKey[key]
		in, is := unresolved[key]
		if !is {
			slices.SortFunc(changes, byUrgency)
			if r.rules.MinSeverity.Worse(changes[0].After.Severity) {
				continue
			}
			if in, err = r.begin(ctx, key, closed[key], changes); err != nil {
				return err
			}
		}
		joined := r.caseOf(in)
		joined.take(changes...)
		for _, change := range changes {
			joined.joining = append(joined.joining, change.After.ID)
		}
	}
	return nil
}

// reopenSince gives the earliest time at which an incident may have been resolved to be reopened by one of the
// alerts. It goes by when the alerts fired, not by when that became known: reports may wait out an outage.
func (r *correlation) reopenSince(byKey map[string][]*alert.Change) time.Time {
	earliest := r.at
	for _, changes := range byKey {
		for _, c := range changes {
			if start := c.After.LastStart(); start.Before(earliest) {
				earliest = start
			}
		}
	}
	return earliest.Add(-r.rules.ReopenWindow)
}

// begin reopens the incident that was resolved last, where one of the alerts came back soon enough, or opens a new
// one. The changes are by urgency.
func (r *correlation) begin(ctx context.Context, key string, closed Incident, changes []*alert.Change) (Incident, error) {
	reopen := closed.ID != "" && slices.ContainsFunc(changes, func(c *alert.Change) bool {
		return !closed.ResolvedAt.Before(c.After.LastStart().Add(-r.rules.ReopenWindow))
	})
	if reopen {
		free, err := r.free(ctx, closed.ID)
		if err != nil {
			return Incident{}, err
		}
		reopen = free
	}
	if !reopen {
		return r.open(ctx, key, changes)
	}
	r.setStatus(&closed, Open, fmt.Sprintf("%s fired within %s", changes[0].After.Name(), r.rules.ReopenWindow))
	return r.tx.UpdateIncident(ctx, closed)
}

// free says that no alert of a resolved incident has gone to another, unresolved one since. It cannot be reopened
// otherwise.
func (r *correlation) free(ctx context.Context, incidentID string) (bool, error) {
	ids, err := r.tx.AlertIDs(ctx, incidentID)
	if err != nil {
		return false, err
	}
	elsewhere, err := r.tx.LinkedAlerts(ctx, ids)
	return len(elsewhere) == 0, err
}

func (r *correlation) open(ctx context.Context, key string, changes []*alert.Change) (Incident, error) {
	first := &changes[0].After.Alert
	in, err := r.tx.CreateIncident(ctx, Incident{
		Title: r.rules.Title.Title(first), Description: first.Description(),
		Severity: worst(changes), Status: Open, CreatedAt: r.at, CreatedBy: Author,
		AffectedServices: services(nil, changes), CorrelationKey: key,
	})
	if err == nil {
		r.outcome.Opened++
		r.events = append(r.events, openedEvent(&in, r.at, shared(first, r.rules.Labels)))
	}
	return in, err
}

// settle links alerts and brings every incident to where its alerts have it.
func (r *correlation) settle(ctx context.Context) error {
	ids := slices.Sorted(maps.Keys(r.cases))
	for _, id := range ids {
		if joining := r.cases[id].joining; len(joining) > 0 {
			if err := r.tx.LinkAlerts(ctx, id, joining); err != nil {
				return err
			}
		}
	}
	firing, err := r.tx.FiringCounts(ctx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !r.follow(r.cases[id], firing[id]) {
			continue
		}
		if _, err := r.tx.UpdateIncident(ctx, r.cases[id].Incident); err != nil {
			return err
		}
	}
	return nil
}

// follow changes an incident by what happened to its alerts, and says whether it changed anything.
func (r *correlation) follow(c *incidentCase, firing int) (changed bool) {
	for _, change := range c.changes {
		r.events = append(r.events, alertEvents(c.ID, r.at, change)...)
	}
	if severity := worst(c.changes); severity.Worse(c.Severity) {
		r.events = append(r.events, severityEvent(c.ID, r.at, c.Severity, severity))
		r.outcome.Escalated++
		c.Severity, changed = severity, true
	}
	if all := services(c.AffectedServices, c.changes); len(all) > len(c.AffectedServices) {
		r.events = append(r.events, servicesEvent(c.ID, r.at, c.AffectedServices, all))
		c.AffectedServices, changed = all, true
	}
	return r.followStatus(c, firing) || changed
}

// followStatus leaves alone what a person has decided until an alert of the incident fires anew or ends.
func (r *correlation) followStatus(c *incidentCase, firing int) bool {
	over := firing == 0 && slices.ContainsFunc(c.changes, ended)
	switch {
	case c.Status == Mitigated && over:
		c.MitigatedAt = r.at // the quiet period begins again
	case c.Status == Mitigated && slices.ContainsFunc(c.changes, func(a *alert.Change) bool {
		return began(a) && a.After.Status == alert.Firing
	}):
		r.setStatus(&c.Incident, Open, "an alert fired again")
	case c.Status != Mitigated && over:
		r.setStatus(&c.Incident, Mitigated, "all alerts are resolved")
	default:
		return false
	}
	return true
}

func (r *correlation) setStatus(in *Incident, to Status, reason string) {
	r.events = append(r.events, statusEvent(in.ID, r.at, in.Status, to, reason))
	in.Status = to
	if to == Mitigated {
		r.outcome.Mitigated++
	} else {
		r.outcome.Reopened++
	}
}

// services adds those of the alerts to names, sorted and each once.
func services(names []string, changes []*alert.Change) []string {
	all := slices.Clone(names)
	for _, c := range changes {
		if name := serviceOf(&c.After.Alert); name != "" {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
