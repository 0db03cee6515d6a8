package monitoringapiextension

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/alert"
)

func TestReportOnAlerts(t *testing.T) {
	base, stored := startWithState(t, "ann")
	now := time.Now().UTC().Truncate(time.Second)
	raised := func(name, service string, ago time.Duration, lasted time.Duration) alert.Alert {
		a := alert.Alert{
			Labels: map[string]string{"alertname": name, "service": service, "team": "it's"}, Severity: alert.High, Status: alert.Firing,
			StartsAt: now.Add(-ago), UpdatedAt: now.Add(-ago), RuleID: "rule-of-" + name,
		}
		if lasted > 0 {
			a.Status, a.EndsAt, a.UpdatedAt = alert.Resolved, a.StartsAt.Add(lasted), a.StartsAt.Add(lasted)
		}
		return a
	}
	records := stored.intake(t,
		raised("Slow", "shop", 10*time.Minute, 0), raised("Down", "shop", time.Hour, 10*time.Minute), raised("Down", "mail", time.Hour, 30*time.Minute),
		raised("Down", "old", 8*24*time.Hour, time.Minute))
	for i := range records {
		if records[i].Name() == "Slow" {
			sendJSON(t, http.MethodPost, base+"/api/v1/alerts/"+records[i].ID+"/acknowledge", `{}`, http.StatusOK)
		}
	}

	week := decode[api.AlertReport](t, get(t, base+"/api/v1/reports/alerts"))
	assert.Equal(t, api.AlertReportGroupBy("rule"), week.GroupBy)
	assert.Equal(t, 7*24*time.Hour, week.End.Sub(week.Start))
	assert.Equal(t, []int{3, 1, 3, 0, 1, 2, 2}, []int{
		week.Totals.Alerts, week.Totals.Firing, week.Totals.Firings, week.Totals.Flaps, week.Totals.ActedUpon, week.Totals.Unattended, week.Totals.SelfResolved,
	})
	assert.Equal(t, 1, week.Previous.Alerts)
	require.Len(t, week.Noisiest, 2)
	down := week.Noisiest[0]
	assert.Equal(t, []any{"Down", "rule-of-Down", api.AlertSeverityHigh, 2}, []any{down.Name, *down.RuleID, down.Severity, down.Firings})
	assert.Equal(t, api.DurationFigures{Count: 2, MeanSeconds: new(1200.0), MedianSeconds: new(600.0), P90Seconds: new(1800.0)}, down.TimeToResolve)
	assert.Equal(t, api.DurationFigures{}, down.TimeToAcknowledge)
	assert.Equal(t, 1, week.Noisiest[1].TimeToAcknowledge.Count)
	assert.InDelta(t, 600, *week.Noisiest[1].TimeToAcknowledge.MedianSeconds, 60)
	assert.Empty(t, week.Flapping)
	require.Len(t, week.NeverActedUpon, 1)
	assert.Equal(t, "Down", week.NeverActedUpon[0].Name)

	services := decode[api.AlertReport](t, get(t, base+"/api/v1/reports/alerts?groupBy=service&limit=1&filter="+url.QueryEscape(`team="it's"`)))
	require.Len(t, services.Noisiest, 1)
	assert.Equal(t, "shop", services.Noisiest[0].Name)
	assert.Nil(t, services.Noisiest[0].RuleID)
	one := decode[api.AlertReport](t, get(t, base+"/api/v1/reports/alerts?service=mail&severity=high"))
	assert.Equal(t, 1, one.Totals.Alerts)
	range10 := decode[api.AlertReport](t, get(t, fmt.Sprintf("%s/api/v1/reports/alerts?start=%d&end=%s", base, now.Add(-9*24*time.Hour).Unix(), url.QueryEscape(now.Format(time.RFC3339)))))
	assert.Equal(t, 4, range10.Totals.Alerts)
}

func TestReportRefusesWhatCannotBe(t *testing.T) {
	base, _ := startWithState(t, "ann")
	for query, field := range map[string]string{
		"start=yesterday": "start", "end=NaN": "end", "start=2026-03-01T00:00:00Z&end=2026-03-01T00:00:00Z": "end",
		"start=2020-03-01T00:00:00Z": "start", "groupBy=team": "groupBy", "limit=0": "limit", "limit=1001": "limit",
		"severity=worst": "severity", "filter=%7B": "filter", "service=": "service",
	} {
		got := get(t, base+"/api/v1/reports/alerts?"+query)
		assert.Equal(t, http.StatusBadRequest, got.status, query)
		require.NotEmpty(t, got.problem(t).Errors, query)
		assert.Equal(t, field, got.problem(t).Errors[0].Field, query)
	}
	assert.Equal(t, http.StatusMethodNotAllowed, do(t, http.MethodPost, base+"/api/v1/reports/alerts", "").status)
}

func TestReportNeedsAStore(t *testing.T) {
	_, base := start(t, newTestStore(t, ""))
	assert.Equal(t, http.StatusNotFound, get(t, base+"/api/v1/reports/alerts").status)
}

func FuzzReportParameters(f *testing.F) {
	for _, seed := range [][5]string{
		{"", "", "", "", ""}, {"0", "60", "rule", "5", `team="a"`}, {"2026-03-01T00:00:00Z", "NaN", "service", "-1", "{"},
		{"-62167219200", "-62167210000", "", "", ""}, {"-62167219200", "253402300799", "team", "1e9", `a=~"("`}, {"1e300", "0001-01-01T00:00:00Z", "\x00", "\xff", "x=\"\x00\""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], seed[4])
	}
	base, stored := startWithState(f, "ann")
	stored.intake(f, alert.Alert{Labels: map[string]string{"alertname": "Down"}, Severity: alert.High, Status: alert.Firing, StartsAt: time.Unix(30, 0)})
	f.Fuzz(func(t *testing.T, start, end, groupBy, limit, filter string) {
		values := url.Values{}
		for name, value := range map[string]string{"start": start, "end": end, "groupBy": groupBy, "limit": limit, "filter": filter} {
			if value != "" {
				values.Set(name, value)
			}
		}
		got := get(t, base+"/api/v1/reports/alerts?"+values.Encode())
		if got.status != http.StatusOK && got.status != http.StatusBadRequest {
			t.Fatalf("status %d for %v: %s", got.status, values, got.body)
		}
		if got.status == http.StatusBadRequest && len(got.problem(t).Errors) == 0 {
			t.Fatalf("no field in %s", got.body)
		}
	})
}
