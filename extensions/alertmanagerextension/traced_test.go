package alertmanagerextension

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
)

// A message is in the trace of the incident that it tells of, behind the time that its group waited. It may be sent before
// the incident is written.
func TestANotificationIsInTheTraceOfItsIncident(t *testing.T) {
	hook := newWebhook(t)
	store := openStore(t, storePath(t))
	title, err := incident.ParseTitle("{{ .Name }}")
	require.NoError(t, err)
	correlator := incident.NewCorrelator(store, incident.Correlation{
		Labels: incident.DefaultLabels(), MinSeverity: alert.Medium, Title: title, QuietPeriod: time.Minute,
	}, time.Now)
	down := firing("Down", "service", "shop")
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	t.Cleanup(func() { require.NoError(t, provider.Shutdown(context.Background())) })
	am := newInstance(t, hook.config(), store)
	am.set.TracerProvider = provider
	am.begin(t)
	require.NoError(t, am.Put(t.Context(), down))
	assert.Equal(t, "firing Down", hook.next(t).names())
	_, err = correlator.Handle(t.Context(), []alert.Alert{down})
	require.NoError(t, err)
	list, err := store.Incidents(t.Context(), incident.Query{})
	require.NoError(t, err)
	require.Len(t, list.Incidents, 1)
	spans := map[string]sdktrace.ReadOnlySpan{}
	require.Eventually(t, func() bool {
		for _, span := range recorder.Ended() {
			spans[span.Name()] = span
		}
		return spans["notify"] != nil && spans["notified"] != nil
	}, patience, time.Millisecond)
	id := strings.ReplaceAll(list.Incidents[0].ID, "-", "")
	for _, name := range []string{"alerts grouped", "notified"} {
		require.Contains(t, spans, name)
		assert.Equal(t, id, spans[name].SpanContext().TraceID().String())
		require.Len(t, spans[name].Links(), 1)
		assert.Equal(t, spans["notify"].SpanContext().SpanID(), spans[name].Links()[0].SpanContext.SpanID())
	}
}
