package e2e

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver of the database that the test looks into
)

// serviceHealth is the part of a service's health that the tests look at.
type serviceHealth struct {
	Name, Status     string
	Reasons          []struct{ Source, Status, Message string }
	ResponseTime     float64
	ActiveAlerts     []struct{ Name string }
	ActiveAlertCount int
}

// awaitHealth waits for a service to have a status, for a reason that has these texts in it.
func (c *collector) awaitHealth(service, status string, why ...string) (found serviceHealth) {
	c.t.Helper()
	await(c.t, service+" "+status, func() error {
		code, body, err := tryRequest(http.MethodGet, at(c.api, "/api/v1/health/services/"+service), "", nil)
		if err != nil || code != http.StatusOK {
			return fmt.Errorf("%d %s: %w", code, body, err)
		}
		found = serviceHealth{}
		if err := json.Unmarshal(body, &found); err != nil {
			return err
		}
		if found.Status != status || len(found.Reasons) == 0 {
			return fmt.Errorf("it is %s", body)
		}
		for _, text := range why {
			if worst := found.Reasons[0]; !strings.Contains(worst.Source+": "+worst.Message, text) {
				return fmt.Errorf("no %q in its first reason: %s", text, body)
			}
		}
		return nil
	})
	return found
}

const judgingOften = `extensions: {monitoring_api: {health: {interval: 200ms, details_interval: 0s}}}`

// A service that a probe finds down is unhealthy, with what the probe saw, and healthy again with it.
func TestHealthByProbe(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer shop.Close()
	gone := freePort(t) // Nobody listens.
	c := startCollector(t, "all-in-one.yaml", withOverlay(judgingOften), withOverlay(fmt.Sprintf(`
extensions: {monitoring_api: {health: {probes: [{url: "%[2]s", service: gone}]}}}
receivers:
  httpcheck:
    collection_interval: 500ms
    initial_delay: 0s
    targets: [{endpoint: "%[1]s"}, {endpoint: "%[2]s"}]
processors:
  transform/probes:
    metric_statements:
      - set(datapoint.attributes["service"], "shop") where datapoint.attributes["http.url"] == "%[1]s"
service:
  pipelines:
    metrics/probes: {receivers: [httpcheck], processors: [transform/probes], exporters: [metric_store]}
`, shop.URL, at(gone, ""))))
	c.awaitHealth("shop", "healthy", "probe: "+shop.URL+" answers")
	c.awaitHealth("gone", "unhealthy", "does not answer: ", "connection refused")

	down.Store(true)
	c.awaitHealth("shop", "unhealthy", "answers 503")
	var system struct{ Status string }
	getJSON(t, at(c.api, "/api/v1/health"), &system)
	assert.Equal(t, "unhealthy", system.Status)

	down.Store(false)
	c.awaitHealth("shop", "healthy")
	c.terminate()
}

// An alert that fires degrades its service, which nothing else may know. What is told is stored.
func TestHealthByAlert(t *testing.T) {
	t.Parallel()
	c := startCollector(t, "all-in-one.yaml", withOverlay(judgingOften))
	c.postJSON("/api/v1/alerts/rules", http.StatusCreated, `{"name": "QueueLong", "query": "jobs_waiting > 10",
		"duration": "0s", "evaluationInterval": "1s", "severity": "high", "labels": {"service": "mailer"}}`)
	c.setQueue(17)
	got := c.awaitHealth("mailer", "degraded", "alert: QueueLong fires (high)")
	require.Len(t, got.ActiveAlerts, 1)
	assert.Equal(t, "QueueLong", got.ActiveAlerts[0].Name)
	assert.Equal(t, 1, got.ActiveAlertCount)

	c.kill() // so that the file is this test's alone
	db, err := sql.Open("sqlite", filepath.Join(c.data, "state", "monitoring.db"))
	require.NoError(t, err)
	var status, reasons string
	require.NoError(t, db.QueryRow(`SELECT status, reasons FROM service_health WHERE name = 'mailer'`).Scan(&status, &reasons))
	require.NoError(t, db.Close())
	assert.Equal(t, "degraded", status)
	assert.Contains(t, reasons, "QueueLong")

	c.start()
	c.setQueue(3)
	await(t, "the service to go with its alert", func() error {
		code, body, err := tryRequest(http.MethodGet, at(c.api, "/api/v1/health/services/mailer"), "", nil)
		if err == nil && code != http.StatusNotFound {
			err = fmt.Errorf("%d: %s", code, body)
		}
		return err
	})
	c.terminate()
}

// A rule is tried on what is stored, before it is made.
func TestDryRun(t *testing.T) {
	t.Parallel()
	c := startCollector(t, "all-in-one.yaml")
	c.setQueue(17)
	status, body, err := tryRequest(http.MethodPost, at(c.api, "/api/v1/alerts/rules/dry-run"), "application/json",
		[]byte(`{"name": "QueueLong", "query": "jobs_waiting > 10", "duration": "0s", "severity": "high", "annotations": {"summary": "{{ $value }} jobs"}}`))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, "%s", body)
	var got struct {
		Firing int
		Alerts []struct {
			State       string
			Annotations map[string]string
		}
	}
	require.NoError(t, json.Unmarshal(body, &got))
	require.Equal(t, 1, got.Firing, "%s", body)
	assert.Equal(t, "firing", got.Alerts[0].State)
	assert.Equal(t, "17 jobs", got.Alerts[0].Annotations["summary"])

	var rules []any
	getJSON(t, at(c.api, "/api/v1/alerts/rules"), &rules)
	assert.Empty(t, rules, "nothing is stored")
	c.terminate()
}
