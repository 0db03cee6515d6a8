package sqlstore

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/incident"
)

// RedirectKeys has the keys of a merged incident lead to another one.
func (t *tx) RedirectKeys(ctx context.Context, mergedID, intoID string) error {
	merged, err := t.Incident(ctx, mergedID)
	if err != nil {
		return err
	}
	_, err = t.db.NewUpdate().Table("incident_keys").Set("incident_id = ?", intoID).Where("incident_id = ?", mergedID).Exec(ctx)
	if err != nil || merged.CorrelationKey == "" {
		return err
	}
	_, err = t.db.NewRaw("INSERT INTO incident_keys (correlation_key, incident_id) VALUES (?, ?)"+
		" ON CONFLICT (correlation_key) DO UPDATE SET incident_id = EXCLUDED.incident_id", text(merged.CorrelationKey), intoID).Exec(ctx)
	return err
}

// ownKey ends the redirection of a key that has an unresolved incident of its own again.
func (t *tx) ownKey(ctx context.Context, in *incident.Incident) error {
	if in.CorrelationKey == "" || in.Status == incident.Resolved {
		return nil
	}
	_, err := t.db.NewDelete().Table("incident_keys").Where("correlation_key = ?", text(in.CorrelationKey)).Exec(ctx)
	return err
}

// keyedRow is an incident with a key that leads to it.
type keyedRow struct {
	incidentRow `bun:",extend"`

	LeadingKey string `bun:"leading_key,scanonly"`
}

// redirected gives the incidents that redirected keys lead to, by key.
func (t *tx) redirected(ctx context.Context, keys []string, where func(*bun.SelectQuery)) (map[string]incident.Incident, error) {
	found := map[string]incident.Incident{}
	if len(keys) == 0 {
		return found, nil
	}
	var rows []keyedRow
	q := t.db.NewSelect().Model(&rows).Join("JOIN incident_keys AS k ON k.incident_id = i.id").
		ColumnExpr("?TableColumns").ColumnExpr("k.correlation_key AS leading_key").Where("k.correlation_key ?", among(keys))
	where(q)
	err := q.Scan(ctx)
	for i := range rows {
		found[rows[i].LeadingKey] = rows[i].incident()
	}
	return found, err
}
