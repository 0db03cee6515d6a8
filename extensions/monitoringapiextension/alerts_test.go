package monitoringapiextension

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// firingAlert has been firing for some minutes behind noon; its labels are in pairs.
func firingAlert(name string, minutes int, severity alert.Severity, labels ...string) alert.Alert {
	at := noon.Add(time.Duration(minutes) * time.Minute)
	a := alert.Alert{
		Labels: map[string]string{"alertname": name}, Severity: severity, Status: alert.Firing, StartsAt: at, UpdatedAt: at,
	}
	for i := 0; i+1 < len(labels); i += 2 {
		a.Labels[labels[i]] = labels[i+1]
	}
	return a
}

func resolvedAlert(a alert.Alert, after time.Duration) alert.Alert {
	a.Status, a.EndsAt, a.UpdatedAt = alert.Resolved, a.StartsAt.Add(after), a.StartsAt.Add(after)
	return a
}

// correlate puts alerts into an incident as the pipeline does.
func (s *testState) correlate(t testing.TB, key string, alertIDs ...string) (id string) {
	t.Helper()
	require.NoError(t, s.Write(t.Context(), func(ctx context.Context, tx incident.Tx) error {
		in, err := tx.CreateIncident(ctx, incident.Incident{Title: "T", Severity: alert.High, Status: incident.Open, CreatedBy: "pipeline", CorrelationKey: key})
		if err != nil {
			return err
		}
		id = in.ID
		return tx.LinkAlerts(ctx, incident.Links{in.ID: alertIDs})
	}))
	return id
}

func TestListOfAlerts(t *testing.T) {
	base, stored := startWithState(t, "ann")
	assert.JSONEq(t, `[]`, get(t, base+"/api/v1/alerts").body)
	stored.intake(t,
		firingAlert("A", 0, alert.High, "service", "x", "zone", "1"),
		firingAlert("B", 1, alert.Critical, "service", "y"),
		resolvedAlert(firingAlert("C", 2, alert.High, "service", "x"), time.Minute),
		firingAlert("D", 3, alert.Info, "service", "it's"),
	)
	tests := map[string][]string{
		"":                                      {"D", "B", "A"},
		"status=firing":                         {"D", "B", "A"},
		"status=resolved":                       {"C"},
		"status=all":                            {"D", "C", "B", "A"},
		"severity=high":                         {"A"},
		`filter=service="x"&status=all`:         {"C", "A"},
		`filter={service=~"x|y",zone=""}`:       {"B"},
		`filter=service!~"x|y"`:                 {"D"},
		`filter=service="x"&filter=zone="1"`:    {"A"},
		`filter=service="it's"`:                 {"D"},
		`filter=service="' OR '1'='1"`:          nil,
		`filter="x') OR 1=1 --"!=""`:            nil,
		"status=all&start=2026-03-01T12:03:00Z": {"D", "C", "B", "A"},
		"status=all&start=2026-03-01T12:03:01Z": {"D", "B", "A"},
		"end=2026-03-01T12:01:00Z":              {"A"},
	}
	for query, want := range tests {
		assert.Equal(t, want, allPages(t, base+"/api/v1/alerts?"+escaped(t, query), "name", func() {}), query)
	}
	minutes := 10
	newcomer := func() {
		minutes++
		stored.intake(t, firingAlert(fmt.Sprint("new", minutes), minutes, alert.Low))
	}
	assert.Equal(t, []string{"D", "C", "B", "A"}, allPages(t, base+"/api/v1/alerts?"+escaped(t, "limit=1&status=all&filter=alertname!=\"\""), "name", newcomer))
}

func TestAlertThatJSONCannotWrite(t *testing.T) {
	base, stored := startWithState(t, "ann")
	a := firingAlert("A", 0, alert.High)
	a.Value = new(math.NaN())
	id := stored.intake(t, a)[0].ID
	assert.Nil(t, decode[api.Alert](t, get(t, base+"/api/v1/alerts/"+id)).Value)
}

func TestResolveAndReopenAnAlert(t *testing.T) {
	base, stored := startWithState(t, "ann")
	id := stored.intake(t, firingAlert("A", 0, alert.High))[0].ID
	in := stored.correlate(t, "service=x", id)
	url := base + "/api/v1/alerts/" + id

	known := get(t, url).header.Get("ETag")
	updated := sendJSON(t, http.MethodPut, url, `{"status":"resolved","comment":"False alarm","resolvedBy":"bob"}`, http.StatusOK, "If-Match", known)
	assert.Equal(t, api.AlertStatusResolved, decode[api.Alert](t, updated).Status)
	got := get(t, url)
	assert.JSONEq(t, updated.body, got.body)
	assert.Equal(t, updated.header.Get("ETag"), got.header.Get("ETag"))
	sendJSON(t, http.MethodPut, url, `{"status":"firing"}`, http.StatusPreconditionFailed, "If-Match", known)

	sendJSON(t, http.MethodPut, url, `{"status":"resolved"}`, http.StatusOK)
	still := firingAlert("A", 0, alert.High)
	still.UpdatedAt = time.Now()
	stored.intake(t, still)
	assert.Equal(t, api.AlertStatusResolved, decode[api.Alert](t, get(t, url)).Status, "its rule fires on")

	sendJSON(t, http.MethodPut, url, `{"status":"firing"}`, http.StatusOK)
	assert.Equal(t, api.AlertStatusFiring, decode[api.Alert](t, get(t, url)).Status)
	assert.Equal(t, []string{
		"alert ann: Alert 'A' resolved by 'bob'",
		"comment ann: False alarm",
		"status_change monitoring-system: Status changed from 'open' to 'mitigated': all alerts are resolved",
		"alert ann: Alert 'A' fires again",
		"status_change monitoring-system: Status changed from 'mitigated' to 'open': an alert fired again",
	}, events(t, base, in))
}

func TestResolveOneOfTwoAlerts(t *testing.T) {
	base, stored := startWithState(t, "ann")
	records := stored.intake(t, firingAlert("A", 0, alert.High), firingAlert("B", 0, alert.High))
	in := stored.correlate(t, "service=x", records[0].ID, records[1].ID)
	status := func() api.IncidentStatus {
		return decode[api.Incident](t, get(t, base+"/api/v1/incidents/"+in)).Status
	}
	sendJSON(t, http.MethodPut, base+"/api/v1/alerts/"+records[0].ID, `{"status":"resolved"}`, http.StatusOK)
	assert.Equal(t, api.IncidentStatusOpen, status())
	sendJSON(t, http.MethodPut, base+"/api/v1/alerts/"+records[1].ID, `{"status":"resolved"}`, http.StatusOK)
	assert.Equal(t, api.IncidentStatusMitigated, status())
}

func TestAlertsOfAPersonsIncident(t *testing.T) {
	base, stored := startWithState(t, "ann")
	id := stored.intake(t, firingAlert("A", 0, alert.High))[0].ID
	in := createIncident(t, base, `{"title":"T","severity":"low","relatedAlerts":["`+id+`"]}`)
	sendJSON(t, http.MethodPut, base+"/api/v1/alerts/"+id, `{"status":"resolved"}`, http.StatusOK)
	assert.Equal(t, api.IncidentStatusMitigated, decode[api.Incident](t, get(t, base+"/api/v1/incidents/"+in.ID)).Status,
		"as by its rule; it is the person's to resolve")
}

func TestReopenBesideANewerAlert(t *testing.T) {
	base, stored := startWithState(t, "ann")
	old := stored.intake(t, resolvedAlert(firingAlert("A", 0, alert.High), time.Minute))[0].ID
	stored.intake(t, firingAlert("A", 1000, alert.High))
	got := sendJSON(t, http.MethodPut, base+"/api/v1/alerts/"+old, `{"status":"firing"}`, http.StatusConflict)
	assert.Contains(t, got.problem(t).Detail, "newer alert")
}

func TestRequestsOfAlertsThatAreRefused(t *testing.T) {
	base, stored := startWithState(t, "ann")
	id := stored.intake(t, firingAlert("A", 0, alert.High))[0].ID
	tests := map[string]struct {
		method, path, body string
		status             int
		field              string
	}{
		"unknown id":           {http.MethodGet, "/api/v1/alerts/" + unknownID, "", http.StatusNotFound, ""},
		"no id":                {http.MethodGet, "/api/v1/alerts/x", "", http.StatusNotFound, ""},
		"update unknown":       {http.MethodPut, "/api/v1/alerts/" + unknownID, `{"status":"resolved"}`, http.StatusNotFound, ""},
		"no status":            {http.MethodPut, "/api/v1/alerts/" + id, `{}`, http.StatusBadRequest, "status"},
		"status of incidents":  {http.MethodPut, "/api/v1/alerts/" + id, `{"status":"open"}`, http.StatusBadRequest, "status"},
		"no matcher":           {http.MethodGet, "/api/v1/alerts?filter=a", "", http.StatusBadRequest, "filter"},
		"no regexp":            {http.MethodGet, "/api/v1/alerts?" + escaped(t, `filter=a=~"("`), "", http.StatusBadRequest, "filter"},
		"cursor of incidents":  {http.MethodGet, "/api/v1/alerts?cursor=eyJsIjoiaW5jaWRlbnRzIn0", "", http.StatusBadRequest, ""},
		"no such severity":     {http.MethodGet, "/api/v1/alerts?severity=page", "", http.StatusBadRequest, "severity"},
		"start is in a format": {http.MethodGet, "/api/v1/alerts?start=1", "", http.StatusBadRequest, "start"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := do(t, tt.method, base+tt.path, tt.body, "Content-Type", jsonType)
			require.Equal(t, tt.status, got.status, got.body)
			if d := got.problem(t); tt.field != "" {
				require.NotEmpty(t, d.Errors, got.body)
				assert.Contains(t, d.Errors[0].Field, tt.field)
			}
		})
	}
}
