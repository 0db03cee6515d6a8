package sqlstore

import (
	"context"
	"time"

	"github.com/uptrace/bun"
)

// detachmentRow is a row of alert_detachments.
type detachmentRow struct {
	bun.BaseModel `bun:"table:alert_detachments,alias:d"`

	AlertID      string  `bun:"alert_id,pk"`
	LastStartsAt instant `bun:"last_starts_at"`
}

// DetachAlerts remembers the newest period of alerts.
func (t *tx) DetachAlerts(ctx context.Context, alertIDs []string) error {
	if len(alertIDs) == 0 {
		return nil
	}
	_, err := t.db.NewRaw("INSERT INTO alert_detachments (alert_id, last_starts_at) SELECT id, last_starts_at FROM alerts WHERE id ?"+
		" ON CONFLICT (alert_id) DO UPDATE SET last_starts_at = EXCLUDED.last_starts_at", among(alertIDs)).Exec(ctx)
	return err
}

// Detached gives the periods for which alerts are detached.
func (t *tx) Detached(ctx context.Context, alertIDs []string) (map[string]time.Time, error) {
	if len(alertIDs) == 0 {
		return nil, nil
	}
	var rows []detachmentRow
	err := t.db.NewSelect().Model(&rows).Where("d.alert_id ?", among(alertIDs)).Scan(ctx)
	detached := make(map[string]time.Time, len(rows))
	for _, r := range rows {
		detached[r.AlertID] = r.LastStartsAt.Time
	}
	return detached, err
}

func (t *tx) attach(ctx context.Context, alertIDs []string) error {
	_, err := t.db.NewDelete().Model((*detachmentRow)(nil)).Where("d.alert_id ?", among(alertIDs)).Exec(ctx)
	return err
}
