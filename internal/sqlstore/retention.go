package sqlstore

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
)

// DeleteIncidents deletes incidents; the schema deletes what is theirs.
func (t *tx) DeleteIncidents(ctx context.Context, resolvedBefore time.Time, limit int) (int, error) {
	old := t.db.NewSelect().Model((*incidentRow)(nil)).Column("i.id").
		Where("i.status = ?", incident.Resolved).Where("i.resolved_at < ?", at(resolvedBefore)).
		Order("i.resolved_at").Limit(int64(limit))
	return t.deleteByID(ctx, (*incidentRow)(nil), old)
}

// DeleteAlerts deletes alerts that ended. One that a person resolved while its rule fires on is reported still, and
// stays: its next report would fire it anew.
func (t *tx) DeleteAlerts(ctx context.Context, endedBefore time.Time, limit int) (int, error) {
	before := at(endedBefore)
	old := t.db.NewSelect().Model((*alertRow)(nil)).Column("a.id").
		Where("a.status = ?", alert.Resolved).Where("a.ends_at < ?", before).Where("a.reported_at < ?", before).
		Where("NOT EXISTS (SELECT 1 FROM incident_alerts l WHERE l.alert_id = a.id)").
		Order("a.ends_at").Limit(int64(limit))
	n, err := t.deleteByID(ctx, (*alertRow)(nil), old)
	if err != nil {
		return 0, err
	}
	return n, t.store.flavour.forgetLabels(ctx, t.db, endedBefore)
}

// forgetLabels has nothing to do: SQLite keeps labels in their alerts only.
func (sqliteFlavour) forgetLabels(context.Context, bun.IDB, time.Time) error { return nil }

// forgottenLabels bounds what one call of forgetLabels looks at in each table.
const forgottenLabels = 500

func (postgresFlavour) forgetLabels(ctx context.Context, db bun.IDB, seenBefore time.Time) error {
	for _, table := range []bun.Ident{"alert_labels", "alert_label_names"} {
		var keys []int64
		err := db.NewSelect().TableExpr("?", table).Column("key").Where("seen_on < ?::date", at(seenBefore)).
			Order("seen_on").Limit(forgottenLabels).Scan(ctx, &keys)
		if err != nil {
			return err
		}
		if len(keys) == 0 {
			continue
		}
		for _, statement := range []string{
			"DELETE FROM ?0 WHERE key = ANY (?1::bigint[]) AND key NOT IN (SELECT unnest(a.label_keys) FROM alerts AS a WHERE a.label_keys && ?1::bigint[])",
			"UPDATE ?0 SET seen_on = CURRENT_DATE WHERE key = ANY (?1::bigint[])", // it is in use: next time, look at others
		} {
			if _, err := db.ExecContext(ctx, statement, table, numbers(keys)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *tx) deleteByID(ctx context.Context, model any, ids *bun.SelectQuery) (int, error) {
	result, err := t.db.NewDelete().Model(model).Where("id IN (?)", ids).Exec(ctx)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}
