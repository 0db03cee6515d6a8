// Package incidenttrace writes the life of an incident as a trace: what its timeline tells, and who was notified, as
// spans whose trace id is the incident's id. So every replica and every process adds to the same trace, without having
// to know of the others, and whoever knows the incident knows the trace. docs/adr/0019 says why.
package incidenttrace

import (
	"context"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/quantivista/monitoring/internal/incident"
)

// TraceID is the incident's id, which is a UUID. It is false for another id.
func TraceID(incidentID string) (trace.TraceID, bool) {
	id, err := uuid.Parse(incidentID)
	return trace.TraceID(id), err == nil && id != uuid.Nil
}

// under gives the context in which a span becomes one of the incident's trace. Its parent, which no span is, stands for the
// incident: the API of OpenTelemetry lets nobody choose the id of a span.
func under(ctx context.Context, incidentID string) (context.Context, bool) {
	id, ok := TraceID(incidentID)
	if !ok {
		return ctx, false
	}
	var parent trace.SpanID
	copy(parent[:], id[8:]) // The random half of a UUID; its variant bits are never zero.
	return trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: id, SpanID: parent, TraceFlags: trace.FlagsSampled, Remote: true,
	})), true
}

// Events adds what a timeline tells. Each span is linked to the one that ctx has: the work that did it.
func Events(ctx context.Context, tracer trace.Tracer, events []incident.TimelineEvent) {
	for i := range events {
		e := &events[i]
		span(ctx, tracer, e.IncidentID, nameOf(e), e.Timestamp, e.Timestamp, nil,
			attribute.String("incident.event", e.Content), attribute.String("incident.by", e.CreatedBy))
	}
}

// Resolved adds the whole of an incident, from its creation to its end.
func Resolved(ctx context.Context, tracer trace.Tracer, in *incident.Incident) {
	span(ctx, tracer, in.ID, "incident", in.CreatedAt, in.ResolvedAt, nil, attribute.String("incident.title", in.Title),
		attribute.String("incident.severity", string(in.Severity)), attribute.StringSlice("incident.services", in.AffectedServices))
}

// Message is an attempt to notify.
type Message struct {
	Receiver, Integration, Group string
	// Began is when the group that it tells of had waited for it, since Grouped, and Ended when the attempt was over.
	Grouped, Began, Ended time.Time
	// Err is why it failed; nil where it was sent.
	Err error
}

// Notified adds the group and the message about it to the trace of an incident.
func Notified(ctx context.Context, tracer trace.Tracer, incidentID string, m *Message) {
	attributes := []attribute.KeyValue{
		attribute.String("alertmanager.receiver", m.Receiver), attribute.String("alertmanager.integration", m.Integration),
		attribute.String("alertmanager.group", m.Group),
	}
	if m.Grouped.Before(m.Began) {
		span(ctx, tracer, incidentID, "alerts grouped", m.Grouped, m.Began, nil, attributes...)
	}
	span(ctx, tracer, incidentID, "notified", m.Began, m.Ended, m.Err, attributes...)
}

func span(ctx context.Context, tracer trace.Tracer, incidentID, name string, from, to time.Time, err error, attributes ...attribute.KeyValue) {
	parent, ok := under(ctx, incidentID)
	if !ok {
		return
	}
	options := []trace.SpanStartOption{
		trace.WithTimestamp(from), trace.WithAttributes(append(attributes, attribute.String("incident.id", incidentID))...),
	}
	if by := trace.SpanContextFromContext(ctx); by.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: by}))
	}
	_, s := tracer.Start(parent, name, options...)
	if err != nil {
		s.SetStatus(codes.Error, err.Error())
	}
	s.End(trace.WithTimestamp(to))
}

// nameOf tells events apart as far as there are few names.
func nameOf(e *incident.TimelineEvent) string {
	_, acknowledged := e.Metadata["timeToAcknowledgeSeconds"]
	to, _ := e.Metadata["newStatus"].(string)
	switch {
	case acknowledged:
		return "acknowledged"
	case e.Type == incident.AlertEvent && to != "":
		return "alert " + to
	case e.Type == incident.System && to == string(incident.Open):
		return "incident opened"
	case e.Type == incident.StatusChange && to != "":
		return "incident " + to
	default:
		return string(e.Type)
	}
}
