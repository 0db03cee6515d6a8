package embedded

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/alertmanager/types"
	"github.com/prometheus/common/model"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/alertmanager"
)

// untilTold is how long an alert is held to fire that nobody speaks of any more, where its reporter gave no expiry: a
// year is never, in a form that other tools know.
const untilTold = 365 * 24 * time.Hour

// endOf is when a firing alert ends that nobody speaks of any more. An expiry counts from when the report is taken, not
// from when it was made: one that waited in a queue, or for a start, must not end what only was not heard of.
func endOf(a *alert.Alert, now time.Time) time.Time {
	if a.ExpiresAt.IsZero() {
		return now.Add(untilTold)
	}
	return now.Add(max(a.ExpiresAt.Sub(a.UpdatedAt), 0))
}

// Put implements alertmanager.Sink.
func (e *Engine) Put(ctx context.Context, reports ...alert.Alert) error {
	var faults []error
	alerts := make([]*types.Alert, 0, len(reports))
	for i := range reports {
		a := toAlert(&reports[i], time.Now())
		if err := a.Validate(); err != nil {
			faults = append(faults, fmt.Errorf("alert %q (%s): %w, it %w", reports[i].Name(), reports[i].Fingerprint(), err, alertmanager.ErrInvalid))
			continue
		}
		alerts = append(alerts, a)
	}
	// Between the look at what is known and the change nobody else may report.
	e.putting.Lock()
	defer e.putting.Unlock()
	alerts, unknown := e.news(alerts)
	if err := e.held.room(unknown); err != nil {
		return err
	}
	if c := e.current.Load(); c != nil {
		c.expect(alerts)
	}
	if err := e.alerts.Put(ctx, alerts...); err != nil {
		return err
	}
	return errors.Join(faults...)
}

// expect notes the first turns of groups that alerts begin.
func (c *current) expect(alerts []*types.Alert) {
	now := time.Now()
	c.schedule.drop(now)
	for _, a := range alerts {
		c.schedule.expect(c.routes, a, now)
	}
}

// news leaves out reports that come after a later one, of which they know nothing, and counts alerts that are new.
func (e *Engine) news(alerts []*types.Alert) (news []*types.Alert, unknown int) {
	for _, a := range alerts {
		known, err := e.alerts.Get(a.Fingerprint())
		switch {
		case err != nil:
			unknown++
		case known.UpdatedAt.After(a.UpdatedAt):
			continue
		}
		news = append(news, a)
	}
	return news, unknown
}

// Differs says whether an alert is held, and whether a report tells something new of it.
func (e *Engine) Differs(report *alert.Alert) (held, newer bool) {
	a := toAlert(report, time.Now())
	known, err := e.alerts.Get(a.Fingerprint())
	if err != nil {
		return false, true
	}
	return true, a.UpdatedAt.After(known.UpdatedAt) || a.UpdatedAt.Equal(known.UpdatedAt) && a.Resolved() && !known.Resolved()
}

// toAlert gives Alertmanager's form.
func toAlert(a *alert.Alert, now time.Time) *types.Alert {
	converted := &types.Alert{
		Alert: model.Alert{
			Labels: labelSet(a.Labels), Annotations: labelSet(a.Annotations),
			StartsAt: a.StartsAt, EndsAt: a.EndsAt, GeneratorURL: a.GeneratorURL,
		},
		UpdatedAt: a.UpdatedAt,
	}
	if a.Status == alert.Firing {
		converted.EndsAt, converted.Timeout = endOf(a, now), true // The end that the latest report gives holds, also an earlier one.
		return converted
	}
	if converted.EndsAt.Before(converted.StartsAt) {
		converted.EndsAt = converted.StartsAt
	}
	return converted
}

func labelSet(texts map[string]string) model.LabelSet {
	set := make(model.LabelSet, len(texts))
	for name, value := range texts {
		set[model.LabelName(name)] = model.LabelValue(value)
	}
	return set
}
