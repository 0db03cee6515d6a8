package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/sqlstore/postgrestest"
)

// TestMaintenance has a rule fire in a maintenance window: its alert is stored, with what mutes it, and opens no
// incident. The window is ended early, while the process is down after a crash: then it does.
func TestMaintenance(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		inMaintenance(t)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		server, err := postgrestest.New()
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, server.Stop()) })
		database, err := server.CreateDatabase(t.Context(), "monitoring")
		require.NoError(t, err)
		inMaintenance(t, withEnv("STATE_DRIVER=postgres", "STATE_URL="+database))
	})
}

// mutedAlert is the part of an alert that the test looks at.
type mutedAlert struct {
	ID, Status string
	MutedBy    []struct{ Kind, ID, Name string }
}

func inMaintenance(t *testing.T, options ...option) {
	c := startCollector(t, allInOne, append(options, withOverlay(`exporters: {incident: {sweep_interval: 200ms}}`))...)
	now := time.Now().UTC()
	window := c.makeWindow(fmt.Sprintf(`{"name": "Mail upgrade", "matchers": ["service=\"mailer\""], "startsAt": %q, "endsAt": %q}`,
		now.Add(-time.Minute).Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339)))
	c.postJSON("/api/v1/alerts/rules", http.StatusCreated, `{"name": "QueueLong", "query": "jobs_waiting > 10",
		"duration": "0s", "evaluationInterval": "1s", "severity": "high", "labels": {"service": "mailer"}}`)
	c.setQueue(17)
	held := c.awaitAlert("muted", func(a *mutedAlert) bool { return len(a.MutedBy) == 1 })
	assert.Equal(t, []string{"firing", "maintenance", window, "Mail upgrade"},
		[]string{held.Status, held.MutedBy[0].Kind, held.MutedBy[0].ID, held.MutedBy[0].Name})
	// Somebody waits for this one, and its answer comes when it was correlated.
	c.raise(`{"name": "MailLost", "severity": "critical", "labels": {"service": "mailer"}}`)
	c.kill()
	c.start()
	c.raise(`{"name": "Other", "severity": "low", "labels": {"service": "shop"}}`)
	var none []incident
	getJSON(t, at(c.api, "/api/v1/incidents?status=all"), &none)
	assert.Empty(t, none)

	status, body, err := tryRequest(http.MethodDelete, at(c.api, "/api/v1/maintenance-windows/"+window), "", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, "%s", body)
	var found incident
	await(t, "the incident of what still fires", func() error {
		var all []incident
		getJSON(t, at(c.api, "/api/v1/incidents?status=all"), &all)
		if len(all) != 1 || len(all[0].RelatedAlerts) != 2 {
			return fmt.Errorf("incidents are %+v", all)
		}
		found = all[0]
		return nil
	})
	assert.Equal(t, []string{"open", "critical", "MailLost on mailer"}, []string{found.Status, found.Severity, found.Title})
	var let mutedAlert
	getJSON(t, at(c.api, "/api/v1/alerts/"+held.ID), &let)
	assert.Empty(t, let.MutedBy)
	c.terminate()
}

// makeWindow makes a maintenance window and gives its ID.
func (c *collector) makeWindow(body string) string {
	c.t.Helper()
	status, answer, err := tryRequest(http.MethodPost, at(c.api, "/api/v1/maintenance-windows"), "application/json", []byte(body))
	require.NoError(c.t, err)
	require.Equal(c.t, http.StatusCreated, status, "%s", answer)
	var made struct{ ID string }
	require.NoError(c.t, json.Unmarshal(answer, &made))
	return made.ID
}

// awaitAlert waits for the one alert of the mailer to be as it should.
func (c *collector) awaitAlert(what string, is func(*mutedAlert) bool) (found mutedAlert) {
	c.t.Helper()
	await(c.t, "an alert that is "+what, func() error {
		var all []mutedAlert
		getJSON(c.t, at(c.api, "/api/v1/alerts?status=all&filter=service%3D%22mailer%22"), &all)
		if len(all) != 1 || !is(&all[0]) {
			return fmt.Errorf("alerts are %+v", all)
		}
		found = all[0]
		return nil
	})
	return found
}
