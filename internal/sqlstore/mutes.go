package sqlstore

import (
	"context"
	"database/sql/driver"
	"slices"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
)

// mutedRow is a row of muted_alerts.
type mutedRow struct {
	bun.BaseModel `bun:"table:muted_alerts,alias:m"`

	AlertID string  `bun:"alert_id,pk"`
	MutedAt instant `bun:"muted_at"`
	MutedBy mutes   `bun:"muted_by"`
	Held    bool    `bun:"held"`
}

// mutes is a column of JSON.
type mutes []alert.Mute

// Value writes the column.
func (m mutes) Value() (driver.Value, error) { return marshal([]alert.Mute(m)) }

// Scan reads the column.
func (m *mutes) Scan(src any) error { return unmarshal(src, (*[]alert.Mute)(m)) }

// Mute stores that alerts are muted.
func (t *tx) Mute(ctx context.Context, muted []incident.Muted) error {
	rows := make([]mutedRow, len(muted))
	for i, m := range muted {
		rows[i] = mutedRow{AlertID: m.AlertID, MutedAt: at(m.At), MutedBy: m.By, Held: m.Held}
	}
	for chunk := range slices.Chunk(rows, rowsPerStatement) {
		_, err := t.db.NewInsert().Model(&chunk).On("CONFLICT (alert_id) DO UPDATE").
			Set("muted_at = EXCLUDED.muted_at").Set("muted_by = EXCLUDED.muted_by").Set("held = EXCLUDED.held").Exec(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}

// Unmute forgets that alerts are muted.
func (t *tx) Unmute(ctx context.Context, alertIDs []string) error {
	for ids := range slices.Chunk(alertIDs, rowsPerStatement) {
		if _, err := t.db.NewDelete().Model((*mutedRow)(nil)).Where("alert_id ?", among(ids)).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// endHolds forgets that alerts of an incident are muted.
func (t *tx) endHolds(ctx context.Context, incidentID string) error {
	_, err := t.db.NewDelete().Model((*mutedRow)(nil)).
		Where("alert_id IN (SELECT alert_id FROM incident_alerts WHERE incident_id = ?)", incidentID).Exec(ctx)
	return err
}

// holdAgain has an alert that ended while it was muted wait for the end of that as before.
func (t *tx) holdAgain(ctx context.Context, alertID string) error {
	_, err := t.db.NewUpdate().Model((*mutedRow)(nil)).Set("held = TRUE").Where("alert_id = ?", alertID).Exec(ctx)
	return err
}

// StillHeld gives those of the alerts that are held.
func (t *tx) StillHeld(ctx context.Context, alertIDs []string) ([]alert.Record, error) {
	if len(alertIDs) == 0 {
		return nil, nil
	}
	var rows []alertRow
	err := t.db.NewSelect().Model(&rows).Join("JOIN muted_alerts AS m ON m.alert_id = a.id AND m.held").
		Where("a.id ?", among(alertIDs)).Order("a.id").Scan(ctx)
	records := make([]alert.Record, len(rows))
	for i := range rows {
		records[i] = rows[i].record()
	}
	return records, err
}

// MutesOf gives what mutes alerts.
func (s *Store) MutesOf(ctx context.Context, alertIDs []string) (map[string]incident.Muted, error) {
	found := map[string]incident.Muted{}
	err := s.read(ctx, func(db bun.IDB) error {
		for ids := range slices.Chunk(alertIDs, rowsPerStatement) {
			var rows []mutedRow
			if err := db.NewSelect().Model(&rows).Where("m.alert_id ?", among(ids)).Scan(ctx); err != nil {
				return err
			}
			for _, r := range rows {
				found[r.AlertID] = incident.Muted{AlertID: r.AlertID, At: r.MutedAt.Time, By: r.MutedBy, Held: r.Held}
			}
		}
		return nil
	})
	return found, err
}

// heldRow is an alert with what mutes it.
type heldRow struct {
	alertRow `bun:",extend"`

	MutedBy mutes `bun:"muted_by,scanonly"`
}

// HeldAlerts gives alerts that are held, by ID.
func (s *Store) HeldAlerts(ctx context.Context, after string, limit int) ([]incident.HeldAlert, error) {
	var rows []heldRow
	err := s.read(ctx, func(db bun.IDB) error {
		q := db.NewSelect().Model(&rows).ColumnExpr("?TableColumns").ColumnExpr("m.muted_by").
			Join("JOIN muted_alerts AS m ON m.alert_id = a.id").Where("m.held").Order("m.alert_id").Limit(int64(limit))
		if after != "" {
			q.Where("m.alert_id > ?", after)
		}
		return q.Scan(ctx)
	})
	held := make([]incident.HeldAlert, len(rows))
	for i := range rows {
		held[i] = incident.HeldAlert{Record: rows[i].record(), By: rows[i].MutedBy}
	}
	return held, err
}
