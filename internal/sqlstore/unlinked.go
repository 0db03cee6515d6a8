package sqlstore

import (
	"context"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
)

// UnlinkedAlerts gives alerts that fire are in no unresolved incident and are not detached. An index leads to those of a service that
// fire; without one, PostgreSQL searches the labels, and SQLite all that fire.
func (t *tx) UnlinkedAlerts(ctx context.Context, s incident.Shared) ([]alert.Record, error) {
	var rows []alertRow
	q := t.db.NewSelect().Model(&rows).Where("a.status = ?", alert.Firing).
		Where("NOT EXISTS (SELECT 1 FROM incident_alerts l WHERE l.alert_id = a.id AND l.active)").
		Where("NOT EXISTS (SELECT 1 FROM alert_detachments d WHERE d.alert_id = a.id AND d.last_starts_at >= a.last_starts_at)")
	if s.Service != nil {
		q.Where("a.service_name = ?", short(*s.Service))
	}
	for _, m := range s.Labels { // all are of equality
		condition, args := t.store.flavour.labelEqual(text(m.Name), text(m.Value))
		q.Where(condition, args...)
	}
	if err := q.Order("a.starts_at", "a.id").Scan(ctx); err != nil {
		return nil, err
	}
	return records(rows), nil
}

func records(rows []alertRow) []alert.Record {
	all := make([]alert.Record, len(rows))
	for i := range rows {
		all[i] = rows[i].record()
	}
	return all
}

// AlertsByID gives alerts.
func (t *tx) AlertsByID(ctx context.Context, ids []string) ([]alert.Record, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	for _, id := range ids {
		if err := checkID("alert", id); err != nil {
			return nil, err
		}
	}
	var rows []alertRow
	err := t.db.NewSelect().Model(&rows).Where("a.id ?", among(ids)).Order("a.id").Scan(ctx)
	return records(rows), err
}
