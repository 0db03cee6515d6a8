package oncall_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/oncall"
	"github.com/quantivista/monitoring/internal/sqlstore"
	"github.com/quantivista/monitoring/internal/sqlstore/sqlitetest"
	"github.com/quantivista/monitoring/internal/state"
)

// bench is a desk and a correlator on one SQLite store. It runs in a synctest bubble, so that the clock is the test's.
type bench struct {
	t          *testing.T
	store      *sqlstore.Store
	correlator *incident.Correlator
	desk       *oncall.Desk
}

func newBench(t *testing.T) *bench {
	store := sqlitetest.Open(t, time.Second)
	title, err := incident.ParseTitle(incident.DefaultTitle)
	require.NoError(t, err)
	rules := incident.Correlation{
		Labels: incident.DefaultLabels(), MinSeverity: incident.DefaultMinSeverity, Title: title,
		QuietPeriod: incident.DefaultQuietPeriod, ReopenWindow: incident.DefaultReopenWindow, FlapWindow: 30 * time.Minute,
	}
	return &bench{t: t, store: store, correlator: incident.NewCorrelator(store, rules, time.Now), desk: &oncall.Desk{Store: store}}
}

// anyVersion is the precondition of somebody who knows no version.
func anyVersion(int64) error { return nil }

func (b *bench) handle(reports ...alert.Alert) {
	b.t.Helper()
	_, err := b.correlator.Handle(b.t.Context(), reports)
	require.NoError(b.t, err)
}

func (b *bench) incidents() []incident.Summary {
	b.t.Helper()
	list, err := b.store.Incidents(b.t.Context(), incident.Query{Page: state.Page{Limit: state.MaxPageSize}})
	require.NoError(b.t, err)
	return list.Incidents
}

func (b *bench) alerts() []alert.Record {
	b.t.Helper()
	list, err := b.store.Alerts(b.t.Context(), alert.Query{Page: state.Page{Limit: state.MaxPageSize}})
	require.NoError(b.t, err)
	return list.Alerts
}

// alertOf gives the alert of a name.
func (b *bench) alertOf(name string) alert.Record {
	b.t.Helper()
	for _, r := range b.alerts() {
		if r.Name() == name {
			return r
		}
	}
	require.Fail(b.t, "no alert", name)
	return alert.Record{}
}

func (b *bench) incident(id string) incident.Incident {
	b.t.Helper()
	in, err := b.store.Incident(b.t.Context(), id)
	require.NoError(b.t, err)
	return in
}

func (b *bench) related(id string) []alert.Record {
	b.t.Helper()
	related, err := b.store.RelatedAlerts(b.t.Context(), []string{id}, state.MaxPageSize)
	require.NoError(b.t, err)
	return related[id]
}

func (b *bench) timeline(id string) []incident.TimelineEvent {
	b.t.Helper()
	timeline, err := b.store.Timeline(b.t.Context(), id, state.Page{Limit: state.MaxPageSize})
	require.NoError(b.t, err)
	return timeline.Events
}

func (b *bench) told(id string) (lines []string) {
	for _, e := range b.timeline(id) {
		lines = append(lines, string(e.Type)+" "+e.CreatedBy+": "+e.Content)
	}
	return lines
}

func (b *bench) comments(alertID string) []incident.AlertComment {
	b.t.Helper()
	comments, err := b.store.AlertComments(b.t.Context(), alertID, state.MaxPageSize)
	require.NoError(b.t, err)
	return comments
}

// firing is a report of now that an alert of a service has fired since start.
func firing(name, service string, severity alert.Severity, start time.Time) alert.Alert {
	return alert.Alert{
		Labels: map[string]string{"alertname": name, "service": service}, Severity: severity, Status: alert.Firing,
		StartsAt: start, UpdatedAt: time.Now(),
	}
}

// resolved is a report that the alert ends now.
func resolved(a alert.Alert) alert.Alert {
	a.Status, a.EndsAt, a.UpdatedAt = alert.Resolved, time.Now(), time.Now()
	return a
}

// pass lets time go by.
func pass(d time.Duration) { <-time.After(d) }
