package sqlstore

import (
	"context"
	"fmt"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/state"
)

// ResolveAlert ends an alert by hand.
func (t *tx) ResolveAlert(ctx context.Context, id string, version int64, by string) (alert.Change, error) {
	return t.changeAlert(ctx, id, version, func(r *alert.Record) error {
		if r.Status == alert.Firing {
			r.Resolve(t.now(), by)
		}
		return nil
	})
}

// ReopenAlert takes a resolve back, or fires the alert anew.
func (t *tx) ReopenAlert(ctx context.Context, id string, version int64) (alert.Change, error) {
	change, err := t.changeAlert(ctx, id, version, func(r *alert.Record) error {
		newer, err := t.db.NewSelect().Model((*alertRow)(nil)).
			Where("a.fingerprint = ?", r.Fingerprint()).Where("a.starts_at > ?", at(r.StartsAt)).Exists(ctx)
		if err != nil {
			return err
		}
		if newer {
			return fmt.Errorf("a newer alert of the same labels is there: reopening alert %q %w", id, state.ErrConflict)
		}
		r.Reopen(t.now())
		return nil
	})
	if err != nil || change.Before.Status == change.After.Status {
		return change, err
	}
	return change, t.holdAgain(ctx, id)
}

// changeAlert changes one alert. One that does not change keeps its version.
func (t *tx) changeAlert(ctx context.Context, id string, version int64, change func(*alert.Record) error) (alert.Change, error) {
	var row alertRow
	if err := getAlert(ctx, t.db, id, &row); err != nil {
		return alert.Change{}, err
	}
	if version != 0 && version != row.Version {
		return alert.Change{}, versionError("alert", id, version, row.Version)
	}
	record := row.record()
	before := record.Clone()
	if err := change(&record); err != nil {
		return alert.Change{}, err
	}
	if before.Status != record.Status {
		if err := t.saveAlerts(ctx, []*alert.Record{&record}); err != nil {
			return alert.Change{}, err
		}
	}
	return alert.Change{Before: before, After: record}, nil
}

// Alert gives one alert.
func (t *tx) Alert(ctx context.Context, id string) (alert.Record, error) {
	var row alertRow
	if err := getAlert(ctx, t.db, id, &row); err != nil {
		return alert.Record{}, err
	}
	return row.record(), nil
}

// LinkedAlerts gives the unresolved incident of each alert that has one.
func (t *tx) LinkedAlerts(ctx context.Context, alertIDs []string) (map[string]string, error) {
	incidents := make(map[string]string, len(alertIDs))
	alertIDs = possibleIDs("alert", alertIDs)
	if len(alertIDs) == 0 {
		return incidents, nil
	}
	var links []linkRow
	err := t.db.NewSelect().Model(&links).Where("alert_id ?", among(alertIDs)).Where("active").Scan(ctx)
	for _, l := range links {
		incidents[l.AlertID] = l.IncidentID
	}
	return incidents, err
}
