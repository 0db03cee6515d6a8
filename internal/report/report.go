package report

import (
	"context"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
)

// Report is on the alerts of a period, as they are known now.
type Report struct {
	Query
	// Previous are the figures of the period before, which is as long.
	Previous Figures
	Groups
}

// Groups are the alerts of a selection, and those of its groups that a list names. Each list is cut to the limit.
type Groups struct {
	Totals Figures
	// Noisiest fired most often.
	Noisiest []Group
	// Flapping fired again most often, all of them at least once.
	Flapping []Group
	// NeverActedUpon have unattended alerts, and none that anybody acted upon; those that fired most often first.
	NeverActedUpon []Group
}

// Group is the alerts of one rule, or of one service.
type Group struct {
	// Name is that of the rule or the service; empty for alerts that tell no service.
	Name string
	// RuleID is the stored rule that raised the alerts; empty where none did, and for a service.
	RuleID string
	// Severity is the worst of its alerts.
	Severity alert.Severity
	Figures
}

// Figures sum up alerts. Of each alert, everything counts that is known of it, whenever it was; but for Firings and
// Flaps, which count what was in the period.
type Figures struct {
	// Alerts fired at some time in the period. One that flaps is one.
	Alerts int
	// Firing are those that have not ended.
	Firing int
	// Firings is how often alerts began to fire, for the first time or again. Flaps is how often they did again, to the
	// hour.
	Firings, Flaps int
	// FlappingAlerts are the alerts that did.
	FlappingAlerts int
	// Muted are the alerts that nobody was told of.
	Muted int
	// ActedUpon are the alerts that a person did something about: acknowledged or commented on it, resolved it by hand,
	// silenced it, or did anything to an incident that it was in.
	ActedUpon int
	// Unattended are those that nobody did anything about, and that were not muted.
	Unattended int
	// SelfResolved are the unattended ones that have ended: they came and went.
	SelfResolved int
	// TimeToAcknowledge is from the start of an alert to the first thing that a person did about it, of those where
	// it is known when. It is 0 where the person was before the alert.
	TimeToAcknowledge Durations
	// TimeToResolve is from the start of an alert to its end, of those that have ended.
	TimeToResolve Durations
}

// Durations sum up how long something took. P90 is the shortest time in which at least 90 % of all were done, Median that
// of a half: neither is made up between two.
type Durations struct {
	// Count is how many there were. The others are zero where it is.
	Count             int
	Mean, Median, P90 time.Duration
}

// Reader sums up stored alerts.
type Reader interface {
	// AlertFigures sums up all alerts of a selection.
	AlertFigures(ctx context.Context, s Selection) (Figures, error)
	// AlertGroups sums them up by group. limit bounds each list.
	AlertGroups(ctx context.Context, s Selection, by Dimension, limit int) (Groups, error)
}

// Alerts reports on the alerts of a completed query.
func Alerts(ctx context.Context, r Reader, q Query) (Report, error) {
	groups, err := r.AlertGroups(ctx, q.Selection, q.By, q.Limit)
	if err != nil {
		return Report{}, err
	}
	previous, err := r.AlertFigures(ctx, q.before())
	return Report{Query: q, Previous: previous, Groups: groups}, err
}
