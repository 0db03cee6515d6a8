package alertreceiver

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/prometheus/alertmanager/api/v2/models"
	"github.com/prometheus/common/model"

	"github.com/quantivista/monitoring/internal/alert"
)

// never is from when on a time of an end counts as none.
var never = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// convert gives the alerts of a request that are valid, and what is wrong with the others. Times are as in Alertmanager:
// an end in the future is when the alert is over unless it is sent again.
func (r *alertReceiver) convert(posted models.PostableAlerts, now time.Time) (alerts []alert.Alert, faults []error) {
	for _, p := range posted {
		a, err := r.one(p, now.UTC())
		if err != nil {
			faults = append(faults, err)
			continue
		}
		alerts = append(alerts, a)
	}
	return alerts, faults
}

func (r *alertReceiver) one(p *models.PostableAlert, now time.Time) (alert.Alert, error) {
	if p == nil {
		return alert.Alert{}, errors.New("at least one label pair required")
	}
	a := alert.Alert{
		Labels: nonEmpty(p.Labels), Annotations: maps.Clone(map[string]string(p.Annotations)),
		StartsAt: time.Time(p.StartsAt).UTC(), GeneratorURL: string(p.GeneratorURL), UpdatedAt: now,
	}
	end, told := time.Time(p.EndsAt).UTC(), !a.StartsAt.IsZero()
	switch {
	case told:
	case end.IsZero():
		a.StartsAt = now
	default:
		a.StartsAt = end
	}
	if end.IsZero() {
		end = now.Add(r.cfg.ResolveTimeout)
	}
	if err := check(&a, end); err != nil {
		return alert.Alert{}, err
	}
	a.Severity = r.severities.Of(a.Labels)
	switch {
	case !end.After(now):
		a.Status, a.EndsAt = alert.Resolved, end
	case end.Before(never):
		a.Status, a.ExpiresAt = alert.Firing, end
	default:
		a.Status = alert.Firing
	}
	if !told {
		r.starts.settle(&a, now)
	}
	err := a.Validate()
	return a, err
}

// check says what Alertmanager would, in its words, and what we want beyond it: a name.
func check(a *alert.Alert, end time.Time) error {
	if end.Before(a.StartsAt) {
		return errors.New("start time must be before end time")
	}
	if len(a.Labels) == 0 {
		return errors.New("at least one label pair required")
	}
	if err := checkSet(a.Labels); err != nil {
		return fmt.Errorf("invalid label set: %w", err)
	}
	if a.Name() == "" {
		return fmt.Errorf("invalid label set: %q is missing", model.AlertNameLabel)
	}
	if err := checkSet(a.Annotations); err != nil {
		return fmt.Errorf("invalid annotations: %w", err)
	}
	return nil
}

func checkSet(set map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(set)) {
		switch {
		case !model.UTF8Validation.IsValidLabelName(name):
			return fmt.Errorf("invalid name %q", name)
		case !utf8.ValidString(set[name]):
			return fmt.Errorf("invalid value %q", set[name])
		}
	}
	return nil
}
