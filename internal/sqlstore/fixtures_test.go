package sqlstore

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

const window = time.Hour

// firing is a report that an alert of these labels, in pairs, has been firing since start.
func firing(start, reported time.Time, labels ...string) alert.Alert {
	value := 1.5
	a := alert.Alert{
		Labels: map[string]string{"alertname": "Test"}, Annotations: map[string]string{"summary": "It's \"down\""},
		Severity: alert.High, Status: alert.Firing, StartsAt: start, UpdatedAt: reported, Value: &value,
		GeneratorURL: "http://localhost/graph?g0.expr=up", RuleID: "",
	}
	for i := 0; i+1 < len(labels); i += 2 {
		a.Labels[labels[i]] = labels[i+1]
	}
	return a
}

// resolved is a report that it has ended.
func resolved(start, end, reported time.Time, labels ...string) alert.Alert {
	a := firing(start, reported, labels...)
	a.Status, a.EndsAt = alert.Resolved, end
	return a
}

// write runs do in a transaction.
func write(t testing.TB, s *Store, do func(ctx context.Context, tx incident.Tx)) {
	t.Helper()
	require.NoError(t, s.Write(t.Context(), func(ctx context.Context, tx incident.Tx) error {
		do(ctx, tx)
		return nil
	}))
}

func intake(t testing.TB, s *Store, reports ...alert.Alert) (changes []alert.Change) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx incident.Tx) {
		var err error
		changes, err = tx.Intake(ctx, reports, window)
		require.NoError(t, err)
	})
	return changes
}

func newIncident(t testing.TB, s *Store, in incident.Incident) (created incident.Incident) {
	t.Helper()
	if in.Title == "" {
		in.Title, in.CreatedBy = "Something", "test"
	}
	if in.Severity == "" {
		in.Severity = alert.High
	}
	if in.Status == "" {
		in.Status = incident.Open
	}
	write(t, s, func(ctx context.Context, tx incident.Tx) {
		var err error
		created, err = tx.CreateIncident(ctx, in)
		require.NoError(t, err)
	})
	return created
}

// alerts gives all, those that began last first.
func alerts(t testing.TB, s *Store) []alert.Record {
	t.Helper()
	list, err := s.Alerts(t.Context(), alert.Query{})
	require.NoError(t, err)
	return list.Alerts
}
