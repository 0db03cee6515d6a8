package incidentexporter

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/quantivista/monitoring/internal/incident"
)

func (e *incidentExporter) count(ctx context.Context, o incident.Outcome) {
	for transition, n := range map[string]int{
		"fired": o.AlertsFired, "resolved": o.AlertsResolved, "flapped": o.AlertsFlapped, "worsened": o.AlertsWorsened,
		"expired": o.AlertsExpired, "muted": o.AlertsMuted, "released": o.AlertsReleased,
		"upstream": o.AlertsUpstream,
	} {
		add(ctx, e.telemetry.ExporterIncidentAlertTransitions, n, "transition", transition)
	}
	for transition, n := range map[string]int{
		"opened": o.Opened, "reopened": o.Reopened, "escalated": o.Escalated, "mitigated": o.Mitigated, "resolved": o.Resolved,
	} {
		add(ctx, e.telemetry.ExporterIncidentIncidentTransitions, n, "transition", transition)
	}
}

func (e *incidentExporter) refuse(ctx context.Context, reason string, alerts []error) {
	add(ctx, e.telemetry.ExporterIncidentRefusedAlerts, len(alerts), "reason", reason)
}

func add(ctx context.Context, counter metric.Int64Counter, n int, key, value string) {
	if n > 0 {
		counter.Add(ctx, int64(n), metric.WithAttributeSet(attribute.NewSet(attribute.String(key, value))))
	}
}
