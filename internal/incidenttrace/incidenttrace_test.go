package incidenttrace

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/quantivista/monitoring/internal/incident"
)

const someIncident = "0197911e-91f0-7c7e-b3a5-6f0c1f6f4a11"

func recording(t *testing.T) (*tracetest.SpanRecorder, trace.Tracer) {
	t.Helper()
	recorder := tracetest.NewSpanRecorder()
	// Nothing but what has a parent that is sampled, as a sampler of a collector may have it.
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder), sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.NeverSample())))
	t.Cleanup(func() { require.NoError(t, provider.Shutdown(context.Background())) })
	return recorder, provider.Tracer("test")
}

func TestATraceOfAnIncident(t *testing.T) {
	recorder, tracer := recording(t)
	began := time.Unix(1000, 0)
	work := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}})
	ctx := trace.ContextWithSpanContext(t.Context(), work)
	event := func(kind incident.EventType, metadata map[string]any) incident.TimelineEvent {
		return incident.TimelineEvent{IncidentID: someIncident, Timestamp: began, Type: kind, Content: "what happened", CreatedBy: "ada", Metadata: metadata}
	}
	Events(ctx, tracer, []incident.TimelineEvent{
		event(incident.System, map[string]any{"newStatus": "open"}), event(incident.AlertEvent, map[string]any{"newStatus": "firing"}),
		event(incident.Action, map[string]any{"timeToAcknowledgeSeconds": 7.0}), event(incident.Comment, nil),
		event(incident.StatusChange, map[string]any{"newStatus": "resolved"}),
	})
	Notified(ctx, tracer, someIncident, &Message{Receiver: "team", Grouped: began, Began: began.Add(time.Second), Ended: began.Add(3 * time.Second), Err: errors.New("refused")})
	Resolved(ctx, tracer, &incident.Incident{ID: someIncident, CreatedAt: began, ResolvedAt: began.Add(time.Minute)})

	var names []string
	for _, span := range recorder.Ended() {
		names = append(names, span.Name())
		assert.Equal(t, "0197911e91f07c7eb3a56f0c1f6f4a11", span.SpanContext().TraceID().String(), span.Name())
		assert.Equal(t, "b3a56f0c1f6f4a11", span.Parent().SpanID().String())
		require.Len(t, span.Links(), 1)
		assert.Equal(t, work.SpanID(), span.Links()[0].SpanContext.SpanID())
	}
	assert.Equal(t, []string{"incident opened", "alert firing", "acknowledged", "comment", "incident resolved", "alerts grouped", "notified", "incident"}, names)
	last := recorder.Ended()[len(names)-1]
	assert.Equal(t, time.Minute, last.EndTime().Sub(last.StartTime()))
	notified := recorder.Ended()[6]
	assert.Equal(t, codes.Error, notified.Status().Code)
	assert.Equal(t, 2*time.Second, notified.EndTime().Sub(notified.StartTime()))
}

func TestIncidentsWithoutATrace(t *testing.T) {
	recorder, tracer := recording(t)
	for _, id := range []string{"", "7", "00000000-0000-0000-0000-000000000000"} {
		Events(t.Context(), tracer, []incident.TimelineEvent{{IncidentID: id}})
	}
	assert.Empty(t, recorder.Ended())
}
