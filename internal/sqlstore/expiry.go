package sqlstore

import (
	"context"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
)

// ExpiredAlerts gives alerts that nobody reports any more.
func (t *tx) ExpiredAlerts(ctx context.Context, before time.Time, limit int) ([]alert.Record, error) {
	var rows []alertRow
	err := t.db.NewSelect().Model(&rows).
		Where("a.status = ?", alert.Firing).Where("a.expires_at < ?", at(before)).
		Order("a.expires_at").Limit(int64(limit)).Scan(ctx)
	expired := make([]alert.Record, len(rows))
	for i := range rows {
		expired[i] = rows[i].record()
	}
	return expired, err
}

// NewestAlerts gives what is stored under the labels of reports.
func (t *tx) NewestAlerts(ctx context.Context, reports []alert.Alert) (map[string]alert.Record, error) {
	newest := make(map[string]alert.Record, len(reports))
	if len(reports) == 0 {
		return newest, nil
	}
	given := make(map[string][]string, len(reports)) // fingerprints as given, by those that are stored
	stored := make([]string, 0, len(reports))
	for i := range reports {
		c, err := t.clean(&reports[i])
		if err != nil {
			return nil, err
		}
		given[c.Fingerprint()] = append(given[c.Fingerprint()], reports[i].Fingerprint())
		stored = append(stored, c.Fingerprint())
	}
	var rows []alertRow
	last := t.db.NewSelect().Model((*alertRow)(nil)).ModelTableExpr("alerts AS b").
		ColumnExpr("b.fingerprint, MAX(b.starts_at) AS starts_at").
		Where("b.fingerprint ?", among(stored)).Group("b.fingerprint")
	err := t.db.NewSelect().Model(&rows).
		Join("JOIN (?) AS n ON n.fingerprint = a.fingerprint AND n.starts_at = a.starts_at", last).Scan(ctx)
	for i := range rows {
		for _, fingerprint := range given[rows[i].Fingerprint] {
			newest[fingerprint] = rows[i].record()
		}
	}
	return newest, err
}
