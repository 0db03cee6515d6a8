package sqlstore

import (
	"context"

	"github.com/quantivista/monitoring/internal/incident"
)

// KeepPath remembers how alerts have joined an incident.
func (t *tx) KeepPath(ctx context.Context, incidentID string, alertIDs []string, path incident.Path) error {
	if len(alertIDs) == 0 || len(path) == 0 {
		return nil
	}
	kept := make(list, len(path))
	for i, service := range path {
		kept[i] = text(service)
	}
	_, err := t.db.NewUpdate().Model((*linkRow)(nil)).Set("path = ?", kept).
		Where("incident_id = ?", incidentID).Where("alert_id ?", among(alertIDs)).Exec(ctx)
	return err
}
