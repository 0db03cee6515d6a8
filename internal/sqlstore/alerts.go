package sqlstore

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/alert"
)

// Alert gives one alert.
func (s *Store) Alert(ctx context.Context, id string) (alert.Record, error) {
	var row alertRow
	err := s.read(ctx, func(db bun.IDB) error { return getAlert(ctx, db, id, &row) })
	if err != nil {
		return alert.Record{}, err
	}
	return row.record(), nil
}

func getAlert(ctx context.Context, db bun.IDB, id string, row *alertRow) error {
	if err := checkID("alert", id); err != nil {
		return err
	}
	return one("alert", id, db.NewSelect().Model(row).Where("a.id = ?", id).Scan(ctx))
}

// Alerts gives a page of alerts, those that began last first.
func (s *Store) Alerts(ctx context.Context, query alert.Query) (alert.List, error) {
	if err := checkFilter(query.Severity, query.Status); err != nil {
		return alert.List{}, err
	}
	page, err := startPage("alerts", query.Page)
	if err != nil {
		return alert.List{}, err
	}
	search := &alertSearch{where: func(q *bun.SelectQuery) { whereAlerts(q, &query) }, page: page}
	if search.matchers, err = cleanMatchers(query.Matchers); err != nil {
		return alert.List{}, err
	}
	search.ofService()
	var rows []alertRow
	err = s.read(ctx, func(db bun.IDB) (err error) {
		if len(search.matchers) == 0 {
			rows, err = search.read(ctx, db, func(*bun.SelectQuery) {})
		} else {
			rows, err = s.flavour.searchAlerts(ctx, db, search)
		}
		return err
	})
	if err != nil {
		return alert.List{}, err
	}
	rows, next := cut(page, rows, func(r *alertRow) (instant, string) { return r.StartsAt, r.ID })
	list := alert.List{Alerts: make([]alert.Record, len(rows)), Next: next}
	for i := range rows {
		list.Alerts[i] = rows[i].record()
	}
	return list, nil
}

func whereAlerts(q *bun.SelectQuery, query *alert.Query) {
	if query.Status != "" {
		q.Where("a.status = ?", query.Status)
	}
	if query.Severity != "" {
		q.Where("a.severity = ?", query.Severity)
	}
	whereTime(q, query)
}

// whereTime bounds when the alert fired, in the form that an index serves.
func whereTime(q *bun.SelectQuery, query *alert.Query) {
	if !query.To.IsZero() {
		q.Where("a.starts_at < ?", at(query.To))
	}
	if query.From.IsZero() {
		return
	}
	switch query.Status {
	case alert.Firing: // has not ended
	case alert.Resolved:
		q.Where("a.ends_at >= ?", at(query.From))
	default:
		q.Where("(a.ends_at IS NULL OR a.ends_at >= ?)", at(query.From))
	}
}

// CountFiring counts the alerts that fire.
func (s *Store) CountFiring(ctx context.Context) (n int, err error) {
	err = s.read(ctx, func(db bun.IDB) error {
		count, err := db.NewSelect().Model((*alertRow)(nil)).Where("a.status = ?", alert.Firing).Count(ctx)
		n = int(count)
		return err
	})
	return n, err
}
