package oncall_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/oncall"
	"github.com/quantivista/monitoring/internal/state"
)

// step is one thing that the pipeline or a person does. Numbers choose among what is there by then.
type step struct {
	kind      string
	name      int
	severity  alert.Severity
	target    int
	others    []int
	status    incident.Status
	pause     time.Duration
	withEvent bool
}

var kinds = []string{"fire", "fire", "burst", "burst", "resolve", "resolve", "sweep", "link", "unlink", "unlink", "merge", "status", "alert", "open", "mute", "mute", "calls"}

func steps() *rapid.Generator[[]step] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		return step{
			kind: rapid.SampledFrom(kinds).Draw(t, "kind"), name: rapid.IntRange(0, 5).Draw(t, "name"),
			severity:  rapid.SampledFrom([]alert.Severity{alert.Critical, alert.Medium, alert.Low}).Draw(t, "severity"),
			target:    rapid.IntRange(0, 20).Draw(t, "target"),
			others:    rapid.SliceOfN(rapid.IntRange(0, 20), 1, 3).Draw(t, "others"),
			status:    rapid.SampledFrom(incident.Statuses()).Draw(t, "status"),
			pause:     time.Duration(rapid.SampledFrom([]int{1, 60, 660, 2400, 8000}).Draw(t, "pause")) * time.Second,
			withEvent: rapid.Bool().Draw(t, "with comment"),
		}
	}), 1, 25)
}

// life runs steps and knows what must hold then.
type life struct {
	*bench
	reports map[int]alert.Alert // what was last reported
	// decided are incidents whose status is a person's decision, as long as none of its alerts fires.
	decided map[string]bool
	// out is the episode for which an alert is unlinked, and the incidents that it may come back with: those that are
	// resolved and had it.
	out map[string]episode
	// said counts the comments on alerts.
	said int
	// quiet are the names of the alerts that are muted.
	quiet map[string]bool
	// calls is the service graph, and everything that was ever in it.
	calls, called map[string]map[string]bool
}

// maxHops is how many calls lie between an alert and its incident at most.
const maxHops = 2

type episode struct {
	start time.Time
	had   map[string]bool
}

// TestWhateverPeopleAndRulesDo interleaves reports with everything that people do.
func TestWhateverPeopleAndRulesDo(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		todo := steps().Draw(rt, "steps")
		var failure error
		synctest.Test(t, func(t *testing.T) {
			l := &life{
				bench: newBench(t), reports: map[int]alert.Alert{}, decided: map[string]bool{}, out: map[string]episode{}, quiet: map[string]bool{},
				called: map[string]map[string]bool{},
			}
			l.correlator = l.correlator.WithUpstream(incident.Upstream{Graph: l.graph, MaxHops: maxHops}).WithMuting(l.muting)
			for i, s := range todo {
				if err := errors.Join(l.do(t.Context(), s), l.check()); err != nil {
					failure = fmt.Errorf("behind step %d, %s: %w", i, s.kind, err)
					return
				}
				pass(s.pause)
			}
		})
		if failure != nil {
			rt.Fatal(failure)
		}
	})
}

// do makes a step. A person may be refused; the pipeline may not.
func (l *life) do(ctx context.Context, s step) error {
	all, alerts := l.incidents(), l.alerts()
	switch s.kind {
	case "fire":
		return l.fire(ctx, s.severity, s.name)
	case "burst":
		return l.fire(ctx, s.severity, append(s.others, s.name)...)
	case "resolve":
		if a, known := l.reports[s.name]; known && a.Status == alert.Firing {
			l.reports[s.name] = resolved(a)
			return l.report(ctx, l.reports[s.name])
		}
		return nil
	case "mute":
		name := fmt.Sprint("Alert", s.name)
		l.quiet[name] = !l.quiet[name]
		return nil
	case "calls":
		l.newCalls(s)
		return nil
	case "sweep":
		_, err := l.correlator.Sweep(ctx)
		return errors.Join(err, l.checkReleased(ctx))
	}
	if len(alerts) == 0 {
		return nil
	}
	if len(all) == 0 || s.kind == "alert" || s.kind == "open" {
		return refusable(l.doAlert(ctx, s, alerts))
	}
	return refusable(l.doIncident(ctx, s, all, alerts))
}

// muting is an alert.Muting.
func (l *life) muting(context.Context, time.Time) (func(*alert.Alert) []alert.Mute, error) {
	return func(a *alert.Alert) []alert.Mute {
		if l.quiet[a.Name()] {
			return []alert.Mute{{Kind: alert.MutedByMaintenance, ID: "w"}}
		}
		return nil
	}, nil
}

func serviceOf(n int) string { return []string{"cart", "shop", "mail"}[n%3] }

// newCalls has other services call others from now on, or the graph forgotten.
func (l *life) newCalls(s step) {
	l.calls = nil
	if s.withEvent {
		return
	}
	l.calls = map[string]map[string]bool{}
	for _, n := range append(s.others, s.target) {
		for _, c := range []map[string]map[string]bool{l.calls, l.called} {
			client, server := serviceOf(n), serviceOf(n/3)
			if c[client] == nil {
				c[client] = map[string]bool{}
			}
			c[client][server] = true
		}
	}
}

// graph is an incident.Graph.
func (l *life) graph() incident.Callees {
	if l.calls == nil {
		return nil
	}
	return func(service string) []string { return slices.Sorted(maps.Keys(l.calls[service])) }
}

// checkPaths checks that alerts joined by the graph only as that was.
func (l *life) checkPaths() error {
	records := l.alerts()
	ids := make([]string, len(records))
	for i := range records {
		ids[i] = records[i].ID
	}
	cases, err := l.store.Cases(l.t.Context(), ids)
	for _, c := range cases {
		if len(c.Path) == 0 {
			continue
		}
		if len(c.Path) > maxHops+1 || c.Path[0] != incident.ServiceOf(&c.Alert.Alert) || c.Incident == nil {
			err = errors.Join(err, fmt.Errorf("%s is in %v by %s", c.Alert.Name(), c.Incident, c.Path))
		}
		for i := range c.Path[1:] {
			if !l.called[c.Path[i]][c.Path[i+1]] {
				err = errors.Join(err, fmt.Errorf("%s joined by %s, and %s never calls %s", c.Alert.Name(), c.Path, c.Path[i], c.Path[i+1]))
			}
		}
	}
	return err
}

// checkReleased checks that only what is muted waits behind a sweep.
func (l *life) checkReleased(ctx context.Context) error {
	held, err := l.store.HeldAlerts(ctx, "", state.MaxPageSize)
	for _, h := range held {
		if !l.quiet[h.Name()] {
			err = errors.Join(err, fmt.Errorf("%s waits for nothing", h.Name()))
		}
	}
	return err
}

// checkHeld checks that what waits fires, and is in no unresolved incident.
func (l *life) checkHeld(home map[string]string) error {
	held, err := l.store.HeldAlerts(l.t.Context(), "", state.MaxPageSize)
	for _, h := range held {
		if h.Status != alert.Firing || home[h.ID] != "" {
			err = errors.Join(err, fmt.Errorf("%s waits, and is %s and in %q", h.Name(), h.Status, home[h.ID]))
		}
	}
	return err
}

// fire reports alerts in one batch: those that fire already with another severity, the others anew.
func (l *life) fire(ctx context.Context, severity alert.Severity, names ...int) error {
	batch := make([]alert.Alert, len(names))
	for i, n := range names {
		n %= 6
		a, known := l.reports[n]
		if !known || a.Status == alert.Resolved {
			a = firing(fmt.Sprint("Alert", n), serviceOf(n), severity, time.Now())
		}
		a.Severity, a.UpdatedAt = severity, time.Now()
		l.reports[n], batch[i] = a, a
	}
	return l.report(ctx, batch...)
}

func (l *life) report(ctx context.Context, batch ...alert.Alert) error {
	_, err := l.correlator.Handle(ctx, batch)
	return err
}

// refusable passes over what a person may be told.
func refusable(err error) error {
	var transition *incident.TransitionError
	var unknownAlert *oncall.UnknownAlertError
	var unknownIncident *oncall.UnknownIncidentError
	if errors.Is(err, state.ErrConflict) || errors.Is(err, state.ErrNotFound) || errors.As(err, &transition) ||
		errors.As(err, &unknownAlert) || errors.As(err, &unknownIncident) {
		return nil
	}
	return err
}

func (l *life) doAlert(ctx context.Context, s step, alerts []alert.Record) error {
	chosen := alerts[s.target%len(alerts)]
	if s.kind == "open" {
		in, err := l.desk.Open(ctx, "ann", &oncall.NewIncident{Title: "T", Severity: s.severity, AlertIDs: []string{chosen.ID}})
		if err == nil {
			l.decided[in.ID] = true
			delete(l.out, chosen.ID)
		}
		return err
	}
	change := oncall.AlertChange{Status: alert.Firing, ResolvedBy: "ann"}
	if s.name%2 == 0 {
		change.Status = alert.Resolved
	}
	if s.withEvent {
		change.Comment = "hm"
	}
	_, err := l.desk.ChangeAlert(ctx, chosen.ID, "ann", anyVersion, change)
	if err == nil && s.withEvent {
		l.said++
	}
	return err
}

func (l *life) doIncident(ctx context.Context, s step, all []incident.Summary, alerts []alert.Record) error {
	target := all[s.target%len(all)].ID
	switch s.kind {
	case "link":
		id := alerts[s.others[0]%len(alerts)].ID
		_, err := l.desk.Link(ctx, target, "ann", anyVersion, []string{id})
		if err == nil {
			delete(l.out, id)
		}
		return err
	case "unlink":
		related := l.related(target)
		if len(related) == 0 {
			return nil
		}
		taken := related[s.others[0]%len(related)]
		_, err := l.desk.Unlink(ctx, target, "ann", anyVersion, taken.ID)
		if err == nil {
			l.out[taken.ID] = episode{taken.LastStart(), l.had(taken.ID)}
		}
		return err
	case "merge":
		from := make([]string, len(s.others))
		for i, n := range s.others {
			from[i] = all[n%len(all)].ID
		}
		_, err := l.desk.Merge(ctx, target, "ann", anyVersion, oncall.Merge{From: from})
		return err
	default:
		in, err := l.desk.Change(ctx, target, "ann", anyVersion, oncall.IncidentChange{Status: s.status})
		if err == nil {
			l.decided[in.ID] = true
		}
		return err
	}
}

// had gives the incidents that have an alert.
func (l *life) had(alertID string) map[string]bool {
	had := map[string]bool{}
	for _, in := range l.incidents() {
		for _, r := range l.related(in.ID) {
			if r.ID == alertID {
				had[in.ID] = true
			}
		}
	}
	return had
}

// check finds what must never be.
func (l *life) check() error {
	var errs []error
	home := map[string]string{} // the unresolved incident of each alert
	told := 0
	for _, in := range l.incidents() {
		related := l.related(in.ID)
		if in.Status != incident.Resolved {
			errs = append(errs, l.checkUnresolved(&in.Incident, related, home))
		}
		comments, err := checkTimeline(&in.Incident, l.timeline(in.ID))
		told += comments
		errs = append(errs, err)
		if in.MergedInto != "" && in.Status != incident.Resolved {
			errs = append(errs, fmt.Errorf("a merged incident is %s", in.Status))
		}
	}
	return errors.Join(append(errs, l.checkAlerts(home, told), l.checkHeld(home), l.checkPaths())...)
}

func (l *life) checkUnresolved(in *incident.Incident, related []alert.Record, home map[string]string) error {
	var errs []error
	firing := 0
	for _, r := range related {
		if other := home[r.ID]; other != "" {
			errs = append(errs, fmt.Errorf("%s is in %s and in %s", r.Name(), other, in.ID))
		}
		home[r.ID] = in.ID
		if r.Status == alert.Firing {
			firing++
		}
		if in.CorrelationKey != "" && r.Severity.Worse(in.Severity) {
			errs = append(errs, fmt.Errorf("%s is %s, its incident %s", r.Name(), r.Severity, in.Severity))
		}
	}
	if firing > 0 {
		delete(l.decided, in.ID)
	}
	isOver := firing == 0 && (len(related) > 0 || in.CorrelationKey != "")
	if isOver && in.Status != incident.Mitigated && !l.decided[in.ID] {
		errs = append(errs, fmt.Errorf("no alert of %s fires, and it is %s: %v", in.ID, in.Status, l.told(in.ID)))
	}
	return errors.Join(errs...)
}

// checkAlerts compares what is known of alerts with what people did to them.
func (l *life) checkAlerts(home map[string]string, told int) error {
	var errs []error
	said, untold := 0, 0
	for _, r := range l.alerts() {
		for _, c := range l.comments(r.ID) {
			said++
			if c.IncidentID == "" {
				untold++
				if home[r.ID] != "" {
					errs = append(errs, fmt.Errorf("a comment on %s is not told in its incident", r.Name()))
				}
			}
		}
		out, is := l.out[r.ID]
		if is && !r.LastStart().After(out.start) && home[r.ID] != "" && !out.had[home[r.ID]] {
			errs = append(errs, fmt.Errorf("%s was unlinked, and is in %s", r.Name(), home[r.ID]))
		}
	}
	if said != l.said || said != told+untold {
		errs = append(errs, fmt.Errorf("%d comments were made, %d are stored, %d are told, and %d are not", l.said, said, told, untold))
	}
	return errors.Join(errs...)
}

// checkTimeline checks that events have no gap, and that the status went from each to the next by legal ways. It counts
// comments.
func checkTimeline(in *incident.Incident, events []incident.TimelineEvent) (comments int, err error) {
	status := incident.Open
	for i, e := range events {
		if e.Sequence != int64(i+1) {
			return 0, fmt.Errorf("event %d has sequence %d", i+1, e.Sequence)
		}
		if e.Type == incident.Comment {
			comments++
		}
		if e.Type != incident.StatusChange {
			continue
		}
		from, to := incident.Status(fmt.Sprint(e.Metadata["oldStatus"])), incident.Status(fmt.Sprint(e.Metadata["newStatus"]))
		if from != status || from == to || from.Check(to) != nil {
			return 0, fmt.Errorf("event %d leads from %s to %s, the incident was %s", i+1, from, to, status)
		}
		status = to
	}
	if status != in.Status {
		return 0, fmt.Errorf("the timeline ends with %s, the incident is %s", status, in.Status)
	}
	return comments, nil
}
