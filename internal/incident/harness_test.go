package incident_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/sqlstore"
	"github.com/quantivista/monitoring/internal/sqlstore/sqlitetest"
	"github.com/quantivista/monitoring/internal/state"
)

// bench is a correlator on a SQLite store. It runs in a synctest bubble, so that the clock is the test's.
type bench struct {
	t          *testing.T
	store      *sqlstore.Store
	rules      incident.Correlation
	correlator *incident.Correlator
}

func newBench(t *testing.T) *bench {
	store := sqlitetest.Open(t, time.Second)
	title, err := incident.ParseTitle(incident.DefaultTitle)
	require.NoError(t, err)
	rules := incident.Correlation{
		Labels: incident.DefaultLabels(), MinSeverity: incident.DefaultMinSeverity, Title: title,
		QuietPeriod: incident.DefaultQuietPeriod, ReopenWindow: incident.DefaultReopenWindow, FlapWindow: 30 * time.Minute,
	}
	require.NoError(t, rules.Validate())
	return &bench{t: t, store: store, rules: rules, correlator: incident.NewCorrelator(store, rules, time.Now)}
}

func (b *bench) handle(reports ...alert.Alert) incident.Outcome {
	b.t.Helper()
	outcome, err := b.correlator.Handle(b.t.Context(), reports)
	require.NoError(b.t, err)
	return outcome
}

func (b *bench) sweep() incident.Outcome {
	b.t.Helper()
	outcome, err := b.correlator.Sweep(b.t.Context())
	require.NoError(b.t, err)
	return outcome
}

// incidents gives all, the newest first.
func (b *bench) incidents() []incident.Summary {
	b.t.Helper()
	list, err := b.store.Incidents(b.t.Context(), incident.Query{})
	require.NoError(b.t, err)
	return list.Incidents
}

// only gives the incident that there is.
func (b *bench) only() incident.Summary {
	b.t.Helper()
	all := b.incidents()
	require.Len(b.t, all, 1)
	return all[0]
}

func (b *bench) timeline(id string) []incident.TimelineEvent {
	b.t.Helper()
	timeline, err := b.store.Timeline(b.t.Context(), id, state.Page{Limit: state.MaxPageSize})
	require.NoError(b.t, err)
	return timeline.Events
}

// byHand resolves an alert.
func (b *bench) byHand(id string) (change alert.Change, err error) {
	err = b.store.Write(b.t.Context(), func(ctx context.Context, tx incident.Tx) error {
		change, err = tx.ResolveAlert(ctx, id, 0, "me")
		return err
	})
	return change, err
}

// firing is a report of now that an alert has fired since start.
func firing(name string, severity alert.Severity, start time.Time, labels ...string) alert.Alert {
	a := alert.Alert{
		Labels: map[string]string{"alertname": name, "service": "cart"}, Annotations: map[string]string{"summary": "It hurts"},
		Severity: severity, Status: alert.Firing, StartsAt: start, UpdatedAt: time.Now(),
	}
	for i := 0; i+1 < len(labels); i += 2 {
		a.Labels[labels[i]] = labels[i+1]
	}
	return a
}

// resolved is a report that the alert ends now.
func resolved(a alert.Alert) alert.Alert {
	a.Status, a.EndsAt, a.UpdatedAt = alert.Resolved, time.Now(), time.Now()
	return a
}

// pass lets time go by.
func pass(d time.Duration) { <-time.After(d) }
