package sqlstoreextension

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"

	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/incidenttrace"
)

// Write implements incident.Writer. Where the collector traces itself the transaction is a span, and what it tells in
// timelines is added to the traces of these incidents, once it is stored.
func (e *sqlStore) Write(ctx context.Context, do func(context.Context, incident.Tx) error) error {
	ctx, span := e.tracer.Start(ctx, "write incidents")
	defer span.End()
	if !span.IsRecording() {
		return e.ports.Write(ctx, do)
	}
	var told *tellingTx
	err := e.ports.Write(ctx, func(ctx context.Context, tx incident.Tx) error {
		told = &tellingTx{Tx: tx, resolved: map[string]incident.Incident{}} // Anew where the database has the transaction repeated.
		return do(ctx, told)
	})
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
		return err
	}
	span.SetAttributes(attribute.Int("incident.events", len(told.events)))
	incidenttrace.Events(ctx, e.tracer, told.events)
	for i := range told.events {
		event := &told.events[i]
		if in, ok := told.resolved[event.IncidentID]; ok && event.Metadata["newStatus"] == string(incident.Resolved) && event.Type == incident.StatusChange {
			incidenttrace.Resolved(ctx, e.tracer, &in)
		}
	}
	return nil
}

// tellingTx remembers what a transaction tells.
type tellingTx struct {
	incident.Tx
	events   []incident.TimelineEvent
	resolved map[string]incident.Incident // by ID
}

// AppendEvents remembers the events as stored.
func (t *tellingTx) AppendEvents(ctx context.Context, events ...incident.TimelineEvent) ([]incident.TimelineEvent, error) {
	stored, err := t.Tx.AppendEvents(ctx, events...)
	t.events = append(t.events, stored...)
	return stored, err
}

// UpdateIncident remembers the incidents that are resolved, or were before.
func (t *tellingTx) UpdateIncident(ctx context.Context, in incident.Incident) (incident.Incident, error) {
	stored, err := t.Tx.UpdateIncident(ctx, in)
	if err == nil && stored.Status == incident.Resolved {
		t.resolved[stored.ID] = stored
	}
	return stored, err
}
