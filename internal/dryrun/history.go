package dryrun

import (
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"
)

// State of an alert.
type State string

// The states that are told.
const (
	Pending  State = "pending"
	Firing   State = "firing"
	Resolved State = "resolved"
)

// Alert is one period in which the condition of the rule held for one set of labels.
type Alert struct {
	Labels, Annotations labels.Labels
	State               State
	// ActiveAt is the evaluation that saw the condition first.
	ActiveAt time.Time
	// FiredAt is zero for one that never fired, ResolvedAt for one that still does.
	FiredAt, ResolvedAt time.Time
	// Value and Annotations are as of the last evaluation that saw the condition.
	Value float64
}

// FiredFor is how long it fired, until this time at most.
func (a *Alert) FiredFor(until time.Time) time.Duration {
	switch {
	case a.FiredAt.IsZero():
		return 0
	case a.ResolvedAt.IsZero():
		return until.Sub(a.FiredAt)
	default:
		return a.ResolvedAt.Sub(a.FiredAt)
	}
}

// Result is what a rule would have done.
type Result struct {
	// End is the last evaluation.
	End         time.Time
	Evaluations int
	// Fired counts the alerts that fired, Firing those of them that do so at the end, Pending those that wait then, and
	// NeverFired those that ended before they fired.
	Fired, Firing, Pending, NeverFired int
	// Alerts fired, or are pending, by time; MaxAlerts of them.
	Alerts    []Alert
	Truncated bool
	Warnings  []string
}

// history follows the alerts of a rule from one evaluation to the next.
type history struct {
	from time.Time
	// open are the alerts that are active, by hash of their labels.
	open map[uint64]*Alert
	// ended are those that fired and were resolved since from.
	ended      []Alert
	fired      int
	neverFired int
}

func newHistory(from time.Time) *history { return &history{from: from, open: map[uint64]*Alert{}} }

// take looks at the rule behind an evaluation.
func (h *history) take(r *rules.AlertingRule, at time.Time) {
	active := map[uint64]struct{}{}
	r.ForEachActiveAlert(func(a *rules.Alert) {
		if a.State == rules.StateInactive {
			return
		}
		id := a.Labels.Hash()
		active[id] = struct{}{}
		known := h.open[id]
		if known == nil {
			known = &Alert{Labels: a.Labels, ActiveAt: a.ActiveAt}
			h.open[id] = known
		}
		known.State, known.FiredAt, known.Value, known.Annotations = Pending, a.FiredAt, a.Value, a.Annotations
		if a.State == rules.StateFiring {
			known.State = Firing
		}
	})
	for id, a := range h.open {
		if _, still := active[id]; !still {
			delete(h.open, id)
			h.end(a, at)
		}
	}
}

// end notes an alert that is over; one that was so before the start is not told.
func (h *history) end(a *Alert, at time.Time) {
	switch {
	case at.Before(h.from):
	case a.FiredAt.IsZero():
		h.neverFired++
	default:
		a.State, a.ResolvedAt = Resolved, at
		h.fired++
		h.ended = append(h.ended, *a)
		if len(h.ended) > 2*MaxAlerts {
			h.ended = earliest(h.ended)
		}
	}
}

// earliest keeps MaxAlerts.
func earliest(alerts []Alert) []Alert {
	slices.SortStableFunc(alerts, func(a, b Alert) int {
		if byTime := a.ActiveAt.Compare(b.ActiveAt); byTime != 0 {
			return byTime
		}
		return labels.Compare(a.Labels, b.Labels)
	})
	return alerts[:min(len(alerts), MaxAlerts)]
}

func (h *history) result(end time.Time) Result {
	r := Result{End: end, Fired: h.fired, NeverFired: h.neverFired, Alerts: h.ended}
	for _, a := range h.open {
		if a.State == Firing {
			r.Firing++
			r.Fired++
		} else {
			r.Pending++
		}
		r.Alerts = append(r.Alerts, *a)
	}
	r.Alerts = earliest(r.Alerts)
	r.Truncated = len(r.Alerts) < r.Fired+r.Pending
	return r
}
