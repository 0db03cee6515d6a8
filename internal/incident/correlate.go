package incident

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
)

// correlate has incidents follow changes of stored alerts, within the transaction that made the changes. Alerts that
// are part of an unresolved incident stay with it; others join that of their key, which is reopened or opened where
// there is none, unless they are muted. released are those that were held back until now, with why.
func (c *Correlator) correlate(ctx context.Context, tx Tx, changes []alert.Change, mutes mutes, released map[string][]alert.Mute) (Outcome, error) {
	run := correlation{
		Correlator: c, tx: tx, at: c.now(), cases: map[string]*incidentCase{}, joining: map[string]bool{}, claimed: map[string]string{},
		mutes: mutes, muted: map[string]Muted{}, released: released,
	}
	for i := range changes {
		run.outcome.count(&changes[i])
	}
	if err := run.assign(ctx, changes); err != nil {
		return Outcome{}, err
	}
	if err := run.hold(ctx); err != nil {
		return Outcome{}, err
	}
	if err := run.settle(ctx); err != nil {
		return Outcome{}, err
	}
	if _, err := tx.AppendEvents(ctx, run.events...); err != nil {
		return Outcome{}, err
	}
	return run.outcome, nil
}

// correlation is one run of correlate.
type correlation struct {
	*Correlator
	tx       Tx
	at       time.Time
	cases    map[string]*incidentCase // by the incident's ID
	joining  map[string]bool          // alerts that are to be linked
	claimed  map[string]string        // alerts of incidents that were reopened, and the incident's ID
	mutes    mutes
	muted    map[string]Muted        // by the alert's ID
	silent   []*alert.Change         // what happened to muted alerts
	unmuted  []string                // alerts that nothing mutes
	released map[string][]alert.Mute // what muted alerts until now
	outcome  Outcome
	events   []TimelineEvent
}

// incidentCase is an incident with what happened to its alerts.
type incidentCase struct {
	Incident
	changes []*alert.Change
	pulled  []*alert.Change // nothing happened to these: they fired before there was the incident
	joining []string        // alerts that are not linked yet
	paths   map[string]Path // of those that join by the service graph, by the alert's ID
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
	var loose []*alert.Change
	for i := range changes {
		change := &changes[i]
		if in, is := known[linked[change.After.ID]]; is {
			r.caseOf(in).take(change)
		} else if began(change) || (change.Worsened() && change.After.Status == alert.Firing) {
			loose = append(loose, change)
		}
	}
	byKey := map[string][]*alert.Change{}
	if loose, err = r.attached(ctx, loose); err != nil {
		return err
	}
	for _, change := range loose {
		if r.isMuted(change) {
			r.silent = append(r.silent, change)
			continue
		}
		key := keyOf(&change.After.Alert, r.rules.Labels)
		byKey[key] = append(byKey[key], change)
	}
	return r.join(ctx, byKey)
}

// attached leaves out the alerts that a person has taken from an incident, until they fire anew: until a period begins
// behind the one in which that was.
func (r *correlation) attached(ctx context.Context, changes []*alert.Change) ([]*alert.Change, error) {
	var stored []string // a new alert cannot be detached
	for _, c := range changes {
		if c.Before != nil {
			stored = append(stored, c.After.ID)
		}
	}
	detached, err := r.tx.Detached(ctx, stored)
	return slices.DeleteFunc(changes, func(c *alert.Change) bool {
		start, is := detached[c.After.ID]
		return is && (!began(c) || !c.After.LastStart().After(start))
	}), err
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
	up, err := r.lookUpstream(ctx, byKey, unresolved)
	if err != nil {
		return err
	}
	for _, key := range up.order(keys, byKey, func(key string) bool { return r.opens(byKey[key]) }) {
		changes := r.unclaimed(byKey[key])
		if len(changes) == 0 {
			continue
		}
		in, is := unresolved[key]
		first := !is // alerts of the key may fire already that are in no incident
		var path Path
		if !is {
			in, path, is = up.nearest(key, unresolved)
		}
		if !is {
			if !r.opens(changes) {
				continue
			}
			slices.SortFunc(changes, byUrgency)
			if in, err = r.begin(ctx, key, closed[key], changes); err != nil {
				return err
			}
			if in.ID == closed[key].ID { // other keys may lead to it as well
				for _, other := range keys {
					if closed[other].ID == in.ID {
						unresolved[other] = in
					}
				}
			}
			unresolved[key], unresolved[in.CorrelationKey] = in, in
		}
		joined := r.caseOf(in)
		before := len(joined.joining)
		joined.take(changes...)
		for _, change := range changes {
			joined.joining = append(joined.joining, change.After.ID)
		}
		if first {
			if err := r.pull(ctx, key, joined, &changes[0].After.Alert); err != nil {
				return err
			}
		}
		joined.cameBy(path, joined.joining[before:])
		for _, id := range joined.joining {
			r.joining[id] = true
		}
	}
	return nil
}

// opens says whether one of the alerts is severe enough to open an incident.
func (r *correlation) opens(changes []*alert.Change) bool {
	return slices.ContainsFunc(changes, func(c *alert.Change) bool { return !r.rules.MinSeverity.Worse(c.After.Severity) })
}

// unclaimed gives the changes of alerts whose own incident was not reopened meanwhile. That takes the others.
func (r *correlation) unclaimed(changes []*alert.Change) []*alert.Change {
	return slices.DeleteFunc(changes, func(c *alert.Change) bool {
		id, is := r.claimed[c.After.ID]
		if is {
			r.cases[id].take(c)
		}
		return is
	})
}

// pull has alerts join that fired before their incident began, such as those too slight to open one. They share the key of one
// that joins.
func (r *correlation) pull(ctx context.Context, key string, c *incidentCase, one *alert.Alert) error {
	loose, err := r.tx.UnlinkedAlerts(ctx, siblingsOf(one, r.rules.Labels))
	if err != nil {
		return err
	}
	known := make(map[string]bool, len(c.joining))
	for _, id := range c.joining {
		known[id] = true
	}
	for i := range loose {
		if known[loose[i].ID] || keyOf(&loose[i].Alert, r.rules.Labels) != key {
			continue
		}
		if change := (&alert.Change{Before: &loose[i], After: loose[i]}); !r.isMuted(change) {
			c.pulled = append(c.pulled, change)
			c.joining = append(c.joining, loose[i].ID)
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
		free, err := r.free(ctx, key, &closed)
		if err != nil {
			return Incident{}, err
		}
		reopen = free
	}
	if !reopen {
		return r.open(ctx, key, changes)
	}
	r.events = append(r.events, statusEvent(closed.ID, r.at, closed.Status, Open,
		fmt.Sprintf("%s fired within %s", changes[0].After.Name(), r.rules.ReopenWindow)))
	r.countStatus(closed.Status, Open)
	closed.Status = Open
	in, err := r.tx.UpdateIncident(ctx, closed)
	r.caseOf(in)
	return in, err
}

// free claims the alerts of a resolved incident, and says whether it could: none has gone to another, unresolved one
// since, and its own key, where that is another than the one that led to it, has none. It cannot be reopened otherwise.
func (r *correlation) free(ctx context.Context, key string, in *Incident) (bool, error) {
	if in.CorrelationKey != key {
		taken, err := r.tx.UnresolvedByKey(ctx, []string{in.CorrelationKey})
		if err != nil || len(taken) > 0 {
			return false, err
		}
	}
	ids, err := r.tx.AlertIDs(ctx, in.ID)
	if err != nil {
		return false, err
	}
	elsewhere, err := r.tx.LinkedAlerts(ctx, ids)
	if err != nil || len(elsewhere) > 0 || slices.ContainsFunc(ids, func(id string) bool { return r.joining[id] }) {
		return false, err
	}
	for _, id := range ids {
		r.claimed[id] = in.ID
	}
	return true, nil
}

func (r *correlation) open(ctx context.Context, key string, changes []*alert.Change) (Incident, error) {
	first := &changes[0].After.Alert
	in, err := r.tx.CreateIncident(ctx, Incident{
		Title: r.rules.Title.Title(first), Description: first.Description(),
		Severity: worst(changes), Status: Open, CreatedAt: r.at, CreatedBy: Author,
		AffectedServices: sortedOnce(services(changes)), CorrelationKey: key,
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
	joining := Links{}
	for _, id := range ids {
		if alertIDs := r.cases[id].joining; len(alertIDs) > 0 {
			joining[id] = alertIDs
		}
	}
	if err := r.tx.LinkAlerts(ctx, joining); err != nil {
		return err
	}
	for _, id := range ids {
		if err := r.keepPaths(ctx, r.cases[id]); err != nil {
			return err
		}
	}
	firing, err := r.tx.Firing(ctx, slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !r.cases[id].mayBeOver() }))
	if err != nil {
		return err
	}
	for _, id := range ids {
		if over := r.cases[id].mayBeOver() && !firing[id]; r.follow(r.cases[id], over) {
			if _, err := r.tx.UpdateIncident(ctx, r.cases[id].Incident); err != nil {
				return err
			}
		}
	}
	told, err := TellComments(ctx, r.tx, joining)
	r.events = append(r.events, told...)
	return err
}

// mayBeOver says that an alert of the incident ended, and that it is not plain that another fires. To count those that fire takes
// longer than all else where there are hundreds.
func (c *incidentCase) mayBeOver() bool {
	return slices.ContainsFunc(c.changes, ended) &&
		!slices.ContainsFunc(slices.Concat(c.changes, c.pulled), func(c *alert.Change) bool { return c.After.Status == alert.Firing })
}

// follow changes an incident by what happened to its alerts, and says whether it changed anything. over says that one ended and
// none fires.
func (r *correlation) follow(c *incidentCase, over bool) (changed bool) {
	for _, change := range c.changes {
		if by, is := r.released[change.After.ID]; is {
			r.events = append(r.events, c.withPath(change, releasedEvent(c.ID, r.at, change, by))...)
		} else {
			r.events = append(r.events, c.withPath(change, alertEvents(c.ID, r.at, change)...)...)
		}
	}
	for _, change := range c.pulled {
		r.events = append(r.events, c.withPath(change, pulledEvent(c.ID, r.at, change))...)
	}
	all := slices.Concat(c.changes, c.pulled)
	raised := c.Raise(Author, worst(all))
	r.outcome.Escalated += len(raised)
	added := c.AddServices(Author, services(all))
	r.events = append(r.events, r.dated(raised, added)...)
	changed = len(raised)+len(added) > 0
	return r.followStatus(c, over) || changed
}

// followStatus brings the incident to the status that its alerts have it in.
func (r *correlation) followStatus(c *incidentCase, over bool) bool {
	from := c.Status
	events, changed := c.Follow(r.at, !over, TurnOf(c.changes...))
	r.events = append(r.events, events...)
	r.countStatus(from, c.Status)
	return changed
}

func (r *correlation) countStatus(from, to Status) {
	switch {
	case from == to:
	case to == Mitigated:
		r.outcome.Mitigated++
	default:
		r.outcome.Reopened++
	}
}

// dated gives events the time of the run.
func (r *correlation) dated(events ...[]TimelineEvent) []TimelineEvent {
	all := slices.Concat(events...)
	for i := range all {
		all[i].Timestamp = r.at
	}
	return all
}

// services gives those of the alerts.
func services(changes []*alert.Change) []string {
	names := make([]string, len(changes))
	for i, c := range changes {
		names[i] = ServiceOf(&c.After.Alert)
	}
	return names
}
