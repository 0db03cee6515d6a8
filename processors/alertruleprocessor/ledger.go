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
type ledger struct {
	mu     sync.Mutex
	firing map[uint64]alert.Alert // by the hash of the labels that the rule gave
}

func newLedger() *ledger { return &ledger{firing: map[uint64]alert.Alert{}} }

// note a report.
func (l *ledger) note(ls labels.Labels, a alert.Alert) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.Status == alert.Resolved {
		delete(l.firing, ls.Hash())
	} else {
		l.firing[ls.Hash()] = a
	}
}

// seed adds an alert that an earlier process reported, unless this one reported it already.
func (l *ledger) seed(ls labels.Labels, a alert.Alert) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.firing[ls.Hash()]; !known {
		l.firing[ls.Hash()] = a
	}
}

// ended takes out the alerts that no rule holds any more, and gives them as resolved. The groups are asked for after
// the ledger was looked at, so that an alert that fires meanwhile is not taken for one without a rule.
func (l *ledger) ended(groups func() []*rules.Group, now time.Time) []alert.Alert {
	l.mu.Lock()
	reported := maps.Clone(l.firing)
	l.mu.Unlock()
	if len(reported) == 0 {
		return nil
	}
	held, settled := survey(groups())

	l.mu.Lock()
	defer l.mu.Unlock()
	var gone []alert.Alert
	for hash, a := range reported {
		if _, is := held[hash]; is {
			continue
		}
		if is, known := settled[a.Name()]; known && !is {
			continue
		}
		if still, is := l.firing[hash]; is && still.StartsAt.Equal(a.StartsAt) {
			delete(l.firing, hash)
			gone = append(gone, resolve(a, now))
		}
	}
	return gone
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
