package incidentexporter

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/quantivista/monitoring/internal/incident"
)

// retentionPause is between two looks for what is too old.
const retentionPause = 10 * time.Minute

// forget deletes what is older than the retention.
func (e *incidentExporter) forget(ctx context.Context) error {
	before := time.Now().Add(-time.Duration(e.cfg.Retention))
	deleted, err := incident.Forget(ctx, e.store, before)
	add(ctx, e.telemetry.ExporterIncidentDeletedRows, deleted.Incidents, "kind", "incident")
	add(ctx, e.telemetry.ExporterIncidentDeletedRows, deleted.Alerts, "kind", "alert")
	if deleted.Incidents+deleted.Alerts > 0 {
		e.logger.Info("Deleted what is older than the retention", zap.Time("before", before),
			zap.Int("incidents", deleted.Incidents), zap.Int("alerts", deleted.Alerts))
	}
	return err
}
