package incident

import (
	"context"
	"slices"

	"github.com/quantivista/monitoring/internal/alert"
)

// Raise is Handle for alerts that somebody waits for. It gives them as they are stored, in the order of the reports.
// A report that an alert fires holds, whatever is stored under its labels: it is on the alert that fires, or begins a
// new time after the end of the last one, be that by hand.
func (c *Correlator) Raise(ctx context.Context, reports []alert.Alert) ([]alert.Record, Outcome, error) {
	var outcome Outcome
	var stored []alert.Record
	err := c.write(ctx, func(ctx context.Context, tx Tx, mutes mutes) error {
		before, err := tx.NewestAlerts(ctx, reports)
		if err != nil {
			return err
		}
		following := slices.Clone(reports)
		for i := range following {
			if newest, is := before[following[i].Fingerprint()]; is && following[i].Status == alert.Firing {
				following[i].Follow(&newest)
			}
		}
		if outcome, err = c.take(ctx, tx, following, mutes); err != nil {
			return err
		}
		after, err := tx.NewestAlerts(ctx, reports)
		stored = make([]alert.Record, len(reports))
		for i := range reports {
			stored[i] = after[reports[i].Fingerprint()]
		}
		return err
	})
	if err != nil {
		return nil, Outcome{}, err
	}
	return stored, outcome, nil
}

// take stores reports and what they do to incidents.
func (c *Correlator) take(ctx context.Context, tx Tx, reports []alert.Alert, mutes mutes) (Outcome, error) {
	changes, err := tx.Intake(ctx, reports, c.rules.FlapWindow)
	if err != nil {
		return Outcome{}, err
	}
	return c.correlate(ctx, tx, changes, mutes, nil)
}
