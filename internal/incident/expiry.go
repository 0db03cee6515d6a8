package incident

import (
	"context"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
)

// expirySize bounds what one transaction of Expire ends.
const expirySize = 500

// HasExpired says whether an alert fires whose ExpiresAt is before a time.
func (c *Correlator) HasExpired(ctx context.Context, before time.Time) (has bool, err error) {
	err = c.store.Write(ctx, func(ctx context.Context, tx Tx) error {
		expired, err := tx.ExpiredAlerts(ctx, before, 1)
		has = len(expired) > 0
		return err
	})
	return has, err
}

// Expire ends the alerts whose ExpiresAt is before a time, at that ExpiresAt, and what this does to incidents. It is for
// the caller to know that no report on them is on its way; one that comes later holds all the same. Replicas may
// expire together. What ended before an error stays so.
func (c *Correlator) Expire(ctx context.Context, before time.Time) (Outcome, error) {
	var total Outcome
	for {
		var outcome Outcome
		expired := 0
		err := c.write(ctx, func(ctx context.Context, tx Tx, mutes mutes) error {
			records, err := tx.ExpiredAlerts(ctx, before, expirySize)
			if err != nil {
				return err
			}
			reports := make([]alert.Alert, len(records))
			for i := range records {
				reports[i] = records[i].Expiry()
			}
			expired = len(records)
			outcome, err = c.take(ctx, tx, reports, mutes)
			return err
		})
		if err != nil {
			return total, err
		}
		total.add(&outcome)
		if expired < expirySize || outcome.AlertsResolved == 0 {
			return total, nil
		}
	}
}
