package incident

import (
	"context"
	"time"
)

// Forgotten counts what was deleted because of its age.
type Forgotten struct{ Incidents, Alerts int }

// They bound what one transaction of Forget deletes: other writers wait for it. An incident takes its timeline along.
const (
	forgottenIncidents = 50
	forgottenAlerts    = 500
)

// Forget deletes incidents that were resolved before a time, with their timelines, and then alerts that ended before it
// and are in no incident any more. It gives way to other writers between small transactions, and any number of replicas
// may call it. Those deleted before an error stay so.
func Forget(ctx context.Context, w Writer, before time.Time) (total Forgotten, err error) {
	total.Incidents, err = deleteAll(ctx, w, forgottenIncidents, func(ctx context.Context, tx Tx) (int, error) {
		return tx.DeleteIncidents(ctx, before, forgottenIncidents)
	})
	if err != nil {
		return total, err
	}
	total.Alerts, err = deleteAll(ctx, w, forgottenAlerts, func(ctx context.Context, tx Tx) (int, error) {
		return tx.DeleteAlerts(ctx, before, forgottenAlerts)
	})
	return total, err
}

// deleteAll repeats a delete until it finds less than it may delete.
func deleteAll(ctx context.Context, w Writer, limit int, del func(context.Context, Tx) (int, error)) (total int, err error) {
	for {
		deleted := 0
		err := w.Write(ctx, func(ctx context.Context, tx Tx) (err error) {
			deleted, err = del(ctx, tx)
			return err
		})
		if err != nil {
			return total, err
		}
		total += deleted
		if deleted < limit {
			return total, nil
		}
	}
}
