package alertruleprocessor

import (
	"maps"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"

	"github.com/quantivista/monitoring/internal/alert"
)

// ledger has the alerts that were reported to fire and not yet to be resolved. Prometheus never reports the end of
// an alert whose rule is changed, removed, or no longer holds when the process comes up again: its Alertmanager
// forgets such alerts after minutes. Incidents do not forget, so that the ledger ends these alerts.
//
// It also renews alerts of rules that cannot tell whether they go on, as those that fail to evaluate: see renewed.
type ledger struct {
	mu     sync.Mutex
	firing map[uint64]entry // by the hash of the labels that the rule gave
}

// entry is an alert as last reported.
type entry struct {
	alert.Alert

	given  labels.Labels // by the rule
	seeded bool          // by an earlier process; this one has not reported it yet
}

func newLedger() *ledger { return &ledger{firing: map[uint64]entry{}} }

// note a report, and say whether it is on an alert that was not known to fire.
func (l *ledger) note(ls labels.Labels, a alert.Alert) (isNew bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, known := l.firing[ls.Hash()]
	if a.Status == alert.Resolved {
		delete(l.firing, ls.Hash())
	} else {
		l.firing[ls.Hash()] = entry{Alert: a, given: ls}
	}
	return !known
}

// seed adds an alert that an earlier process reported, unless this one reported it already.
func (l *ledger) seed(ls labels.Labels, a alert.Alert) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.firing[ls.Hash()]; !known {
		l.firing[ls.Hash()] = entry{Alert: a, given: ls, seeded: true}
	}
}

// ended takes out the alerts that no rule holds any more, and gives them as resolved, with the labels that the rule
// gave. The groups are asked for after the ledger was looked at, so that an alert that fires meanwhile is not taken for
// one without a rule.
func (l *ledger) ended(groups func() []*rules.Group, now time.Time) (gone []alert.Alert, given []labels.Labels) {
	l.mu.Lock()
	reported := maps.Clone(l.firing)
	l.mu.Unlock()
	if len(reported) == 0 {
		return nil, nil
	}
	held, settled := survey(groups())

	l.mu.Lock()
	defer l.mu.Unlock()
	for hash, a := range reported {
		if _, is := held[hash]; is {
			continue
		}
		if is, known := settled[a.Name()]; known && !is {
			continue
		}
		if still, is := l.firing[hash]; is && still.StartsAt.Equal(a.StartsAt) {
			delete(l.firing, hash)
			gone, given = append(gone, resolve(a.Alert, now)), append(given, a.given)
		}
	}
	return gone, given
}

// renewed gives the alerts that expire within half the tolerance, with a later expiry. Rules that are evaluated tell again what
// goes on long before, so that these are alerts of rules that fail, and of which nobody knows better: they go on
// firing as long as this process tries. Their report is else the last one, its time included, so that a replica
// whose rules are evaluated has the last word.
//
// Seeded alerts are not renewed: all that is known of them are labels. Without a tolerance nothing is.
func (l *ledger) renewed(now time.Time, tolerance time.Duration) []alert.Alert {
	if tolerance == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []alert.Alert
	for hash, a := range l.firing {
		if a.seeded || a.ExpiresAt.Sub(now) > tolerance/2 {
			continue
		}
		a.ExpiresAt = now.Add(tolerance).UTC()
		l.firing[hash] = a
		all = append(all, a.Alert)
	}
	return all
}

// survey gives the alerts that rules hold, pending or firing, and says of each name of an alert whether all its rules
// are settled: restored after a start and evaluated without an error since they last changed.
func survey(groups []*rules.Group) (held map[uint64]struct{}, settled map[string]bool) {
	held, settled = map[uint64]struct{}{}, map[string]bool{}
	for _, g := range groups {
		for _, r := range g.AlertingRules() {
			others, known := settled[r.Name()]
			settled[r.Name()] = (others || !known) && r.Restored() && r.Health() == rules.HealthGood
			for _, a := range r.ActiveAlerts() {
				held[a.Labels.Hash()] = struct{}{}
			}
		}
	}
	return held, settled
}
