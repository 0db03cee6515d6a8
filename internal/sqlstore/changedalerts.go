package sqlstore

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/alert"
)

// ChangedAlerts implements alert.ChangeReader. What is known costs an ID and a version.
func (s *Store) ChangedAlerts(ctx context.Context, since time.Time, known map[string]int64) ([]alert.Record, error) {
	var changed []alert.Record
	err := s.read(ctx, func(db bun.IDB) error {
		var versions []alertRow
		err := db.NewSelect().Model(&versions).Column("a.id", "a.version").Where("a.updated_at >= ?", at(since)).Scan(ctx)
		if err != nil {
			return err
		}
		var ids []string
		for i := range versions {
			if version, is := known[versions[i].ID]; !is || version != versions[i].Version {
				ids = append(ids, versions[i].ID)
			}
		}
		for chunk := range slices.Chunk(ids, rowsPerStatement) {
			var rows []alertRow
			if err := db.NewSelect().Model(&rows).Where("a.id ?", among(chunk)).Order("a.updated_at", "a.id").Scan(ctx); err != nil {
				return err
			}
			for i := range rows {
				changed = append(changed, rows[i].record())
			}
		}
		return nil
	})
	return changed, err
}
