package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/maintenance"
	"github.com/quantivista/monitoring/internal/state"
)

// Window gives one maintenance window.
func (s *Store) Window(ctx context.Context, id string) (maintenance.Window, error) {
	var row windowRow
	if err := checkID("maintenance window", id); err != nil {
		return maintenance.Window{}, err
	}
	err := s.read(ctx, func(db bun.IDB) error {
		return one("maintenance window", id, db.NewSelect().Model(&row).Where("w.id = ?", id).Scan(ctx))
	})
	return row.window(), err
}

// Windows gives a page of maintenance windows, those that were made last first.
func (s *Store) Windows(ctx context.Context, query maintenance.Query) (maintenance.List, error) {
	var rows []windowRow
	page, err := startPage("maintenance-windows", query.Page)
	if err != nil {
		return maintenance.List{}, err
	}
	err = s.read(ctx, func(db bun.IDB) error {
		q := db.NewSelect().Model(&rows)
		if !query.OverBy.IsZero() {
			q.Where("w.over_at <= ?", at(query.OverBy))
		}
		return page.newestFirst(q, "w.created_at", "w.id").Scan(ctx)
	})
	if err != nil {
		return maintenance.List{}, err
	}
	rows, next := cut(page, rows, func(r *windowRow) (instant, string) { return r.CreatedAt, r.ID })
	return maintenance.List{Windows: windows(rows), Next: next}, nil
}

func windows(rows []windowRow) []maintenance.Window {
	list := make([]maintenance.Window, len(rows))
	for i := range rows {
		list[i] = rows[i].window()
	}
	return list
}

// WindowHistory gives what was done to a maintenance window, the last first.
func (s *Store) WindowHistory(ctx context.Context, id string, limit int) ([]maintenance.Revision, error) {
	now, err := s.Window(ctx, id)
	if err != nil {
		return nil, err
	}
	var rows []revisionRow
	err = s.read(ctx, func(db bun.IDB) error {
		return db.NewSelect().Model(&rows).Where("v.window_id = ?", id).Order("v.version DESC").Limit(int64(limit)).Scan(ctx)
	})
	history := make([]maintenance.Revision, len(rows))
	for i := range rows {
		history[i] = rows[i].revision(&now)
	}
	return history, err
}

// WindowsRevision counts the changes of maintenance windows.
func (s *Store) WindowsRevision(ctx context.Context) (revision int64, err error) {
	err = s.read(ctx, func(db bun.IDB) error {
		return db.NewSelect().Table("maintenance_revision").Column("revision").Scan(ctx, &revision)
	})
	return revision, err
}

// LiveWindows gives the maintenance windows that are not over. The revision is read first: windows that are newer are
// loaded once more.
func (s *Store) LiveWindows(ctx context.Context, at time.Time) ([]maintenance.Window, int64, error) {
	revision, err := s.WindowsRevision(ctx)
	if err != nil {
		return nil, 0, err
	}
	var rows []windowRow
	err = s.read(ctx, func(db bun.IDB) error { return selectLive(db, &rows, at).Order("w.id").Scan(ctx) })
	return windows(rows), revision, err
}

func selectLive(db bun.IDB, rows any, t time.Time) *bun.SelectQuery {
	return db.NewSelect().Model(rows).Where("(w.over_at IS NULL OR w.over_at > ?)", at(t))
}

// CreateWindow stores a new maintenance window.
func (s *Store) CreateWindow(ctx context.Context, w maintenance.Window) (maintenance.Window, error) {
	if err := w.Validate(); err != nil {
		return maintenance.Window{}, invalid(err)
	}
	if w.ID == "" {
		w.ID = newID()
	}
	w.Version = 1
	row := toWindowRow(&w)
	err := s.write(ctx, func(ctx context.Context, db bun.Tx) error {
		live, err := selectLive(db, (*windowRow)(nil), w.CreatedAt).Count(ctx)
		if err != nil {
			return err
		}
		if live >= maintenance.MaxLive {
			return fmt.Errorf("there are %d maintenance windows already that have not ended: one more %w", live, state.ErrConflict)
		}
		if _, err := db.NewInsert().Model(row).Exec(ctx); err != nil {
			return err
		}
		return insertRevision(ctx, db, row, maintenance.Created)
	})
	return row.window(), err
}

// UpdateWindow stores a changed maintenance window.
func (s *Store) UpdateWindow(ctx context.Context, w maintenance.Window, did maintenance.Action) (maintenance.Window, error) {
	if err := w.Validate(); err != nil {
		return maintenance.Window{}, invalid(err)
	}
	if err := checkID("maintenance window", w.ID); err != nil {
		return maintenance.Window{}, err
	}
	var row *windowRow
	err := s.write(ctx, func(ctx context.Context, db bun.Tx) error {
		var stored windowRow
		if err := db.NewSelect().Model(&stored).Where("w.id = ?", w.ID).Scan(ctx); err != nil {
			return one("maintenance window", w.ID, err)
		}
		if w.Version != stored.Version {
			return versionError("maintenance window", w.ID, w.Version, stored.Version)
		}
		row = toWindowRow(&w)
		row.CreatedAt, row.CreatedBy, row.Version = stored.CreatedAt, stored.CreatedBy, stored.Version+1
		if _, err := db.NewUpdate().Model(row).WherePK().Exec(ctx); err != nil {
			return err
		}
		return insertRevision(ctx, db, row, did)
	})
	if err != nil {
		return maintenance.Window{}, err
	}
	return row.window(), nil
}

func insertRevision(ctx context.Context, db bun.Tx, row *windowRow, did maintenance.Action) error {
	_, err := db.NewInsert().Model(toRevisionRow(row, did)).Exec(ctx)
	return err
}
