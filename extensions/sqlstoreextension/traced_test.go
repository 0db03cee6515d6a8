package sqlstoreextension

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/oncall"
	"github.com/quantivista/monitoring/internal/state"
)

// The life of an incident, whoever changes it, is a trace whose id is the incident's.
func TestAnIncidentsLifeIsATrace(t *testing.T) {
	store, _ := newStore(t, sqliteAt(filepath.Join(t.TempDir(), "monitoring.db")))
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	t.Cleanup(func() { require.NoError(t, provider.Shutdown(context.Background())) })
	store.tracer = provider.Tracer("test")
	require.NoError(t, store.Start(t.Context(), newTestHost()))

	title, err := incident.ParseTitle("{{ .Name }}")
	require.NoError(t, err)
	now := time.Now()
	correlator := incident.NewCorrelator(store, incident.Correlation{
		Labels: incident.DefaultLabels(), MinSeverity: alert.Medium, Title: title, QuietPeriod: time.Minute,
	}, func() time.Time { return now })
	fires := alert.Alert{
		Labels: map[string]string{"alertname": "Down", "service": "shop"}, Severity: alert.High, Status: alert.Firing,
		StartsAt: now.Add(-time.Minute), UpdatedAt: now,
	}
	_, err = correlator.Handle(t.Context(), []alert.Alert{fires})
	require.NoError(t, err)
	list, err := store.Incidents(t.Context(), incident.Query{Page: state.Page{Limit: 1}})
	require.NoError(t, err)
	require.Len(t, list.Incidents, 1)
	id := list.Incidents[0].ID
	desk := oncall.Desk{Store: store}
	_, err = desk.AcknowledgeIncident(t.Context(), id, "ada", oncall.Note{By: "ada"})
	require.NoError(t, err)
	ended := fires
	ended.Status, ended.EndsAt, ended.UpdatedAt = alert.Resolved, now.Add(time.Second), now.Add(time.Second)
	_, err = correlator.Handle(t.Context(), []alert.Alert{ended})
	require.NoError(t, err)
	now = now.Add(time.Hour)
	_, err = correlator.Sweep(t.Context())
	require.NoError(t, err)

	var life []string
	writes := map[string]bool{}
	for _, span := range recorder.Ended() {
		if span.Name() == "write incidents" {
			writes[span.SpanContext().SpanID().String()] = true
		}
	}
	for _, span := range recorder.Ended() {
		if span.SpanContext().TraceID().String() == strings.ReplaceAll(id, "-", "") {
			life = append(life, span.Name())
			require.Len(t, span.Links(), 1)
			assert.True(t, writes[span.Links()[0].SpanContext.SpanID().String()], "each span leads to the work that did it")
		}
	}
	assert.Equal(t, []string{"incident opened", "alert firing", "acknowledged", "alert resolved", "incident mitigated", "incident resolved", "incident"}, life)
}

func TestAWriteThatFailsTellsNothing(t *testing.T) {
	store, _ := newStore(t, sqliteAt(filepath.Join(t.TempDir(), "monitoring.db")))
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	t.Cleanup(func() { require.NoError(t, provider.Shutdown(context.Background())) })
	store.tracer = provider.Tracer("test")
	require.NoError(t, store.Start(t.Context(), newTestHost()))
	require.Error(t, store.Write(t.Context(), func(ctx context.Context, tx incident.Tx) error {
		in, err := tx.CreateIncident(ctx, incident.Incident{Title: "a", Severity: alert.High, Status: incident.Open, CreatedBy: "ada"})
		if err == nil {
			_, err = tx.AppendEvents(ctx, incident.TimelineEvent{IncidentID: in.ID, Type: incident.Comment, CreatedBy: "ada", Content: "b"})
		}
		require.NoError(t, err)
		return state.ErrConflict
	}))
	require.Len(t, recorder.Ended(), 1)
	assert.Equal(t, codes.Error, recorder.Ended()[0].Status().Code)
}

// Where nothing is traced a transaction is the store's own.
func TestNothingIsRememberedWithoutTraces(t *testing.T) {
	store, _ := newStore(t, sqliteAt(filepath.Join(t.TempDir(), "monitoring.db")))
	require.NoError(t, store.Start(t.Context(), newTestHost()))
	require.NoError(t, store.Write(t.Context(), func(_ context.Context, tx incident.Tx) error {
		_, remembers := tx.(*tellingTx)
		assert.False(t, remembers)
		return nil
	}))
}
