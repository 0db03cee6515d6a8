package e2e

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAlertReport raises alerts, has a person take note of one, and reads who was noisy, after a crash.
func TestAlertReport(t *testing.T) {
	t.Parallel()
	eachDatabase(t, alertReport)
}

// alertFigures is the part of a report that the test looks at.
type alertFigures struct {
	Name                                   string
	Alerts, Firings, ActedUpon, Unattended int
	TimeToAcknowledge, TimeToResolve       struct{ Count int }
}

func alertReport(t *testing.T, d *database) {
	c := startCollector(t, allInOne, d.option())
	for _, instance := range []string{"a", "b"} {
		c.raise(`{"name": "DiskFull", "severity": "high", "labels": {"service": "shop", "instance": "` + instance + `"}}`)
	}
	c.raise(`{"name": "MailLost", "severity": "critical", "labels": {"service": "mailer"}}`)
	var alerts []struct{ ID, Name string }
	getJSON(t, at(c.api, "/api/v1/alerts"), &alerts)
	require.Len(t, alerts, 3)
	for _, a := range alerts {
		if a.Name == "MailLost" {
			c.postJSON("/api/v1/alerts/"+a.ID+"/acknowledge", http.StatusOK, `{"by": "ada"}`)
			status, answer, err := tryRequest(http.MethodPut, at(c.api, "/api/v1/alerts/"+a.ID), "application/json", []byte(`{"status": "resolved"}`))
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, status, "%s", answer)
		}
	}
	c.kill()
	c.start()

	var rules, services struct {
		Totals, Previous         alertFigures
		Noisiest, NeverActedUpon []alertFigures
	}
	getJSON(t, at(c.api, "/api/v1/reports/alerts"), &rules)
	totals := alertFigures{Alerts: 3, Firings: 3, ActedUpon: 1, Unattended: 2}
	totals.TimeToAcknowledge.Count, totals.TimeToResolve.Count = 1, 1
	assert.Equal(t, totals, rules.Totals)
	assert.Zero(t, rules.Previous)
	disk := alertFigures{Name: "DiskFull", Alerts: 2, Firings: 2, Unattended: 2}
	assert.Equal(t, []alertFigures{disk}, rules.NeverActedUpon)
	require.Len(t, rules.Noisiest, 2)
	assert.Equal(t, disk, rules.Noisiest[0])

	getJSON(t, at(c.api, "/api/v1/reports/alerts?groupBy=service&service=mailer"), &services)
	require.Len(t, services.Noisiest, 1)
	assert.Equal(t, "mailer", services.Noisiest[0].Name)

	status, body, err := tryRequest(http.MethodGet, at(c.api, "/api/v1/reports/alerts?start=0"), "", nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusBadRequest, status)
	var refused struct{ Errors []struct{ Field string } }
	require.NoError(t, json.Unmarshal(body, &refused))
	require.Len(t, refused.Errors, 1)
	assert.Equal(t, "start", refused.Errors[0].Field)
	c.terminate()
}
