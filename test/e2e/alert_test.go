package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/sqlstore/postgrestest"
)

// postedAlert is the part of an alert that tests look at.
type postedAlert struct {
	ID, Name, Severity, Status, Description string
	StartsAt, EndsAt, ExpiresAt             time.Time
	Labels, Annotations                     map[string]string
}

// tryAlert posts an alert.
func (c *collector) tryAlert(body string) (*http.Response, []byte) {
	c.t.Helper()
	resp, answer, err := tryRequestFull(client, http.MethodPost, at(c.api, "/api/v1/alerts"), "application/json", []byte(body), nil)
	require.NoError(c.t, err)
	return resp, answer
}

// raise wants the alert stored.
func (c *collector) raise(body string) (stored postedAlert) {
	c.t.Helper()
	resp, answer := c.tryAlert(body)
	require.Equal(c.t, http.StatusCreated, resp.StatusCode, "%s", answer)
	require.NoError(c.t, json.Unmarshal(answer, &stored))
	require.Equal(c.t, "/api/v1/alerts/"+stored.ID, resp.Header.Get("Location"))
	return stored
}

func (c *collector) alert(id string) (found postedAlert) {
	c.t.Helper()
	getJSON(c.t, at(c.api, "/api/v1/alerts/"+id), &found)
	return found
}

// sendAlerts posts alerts as to an Alertmanager.
func (c *collector) sendAlerts(body string) (status int, answer string) {
	c.t.Helper()
	status, read, err := tryRequest(http.MethodPost, at(c.api, "/alertmanager/api/v2/alerts"), "application/json", []byte(body))
	require.NoError(c.t, err)
	return status, string(read)
}

func TestPostedAlerts(t *testing.T) {
	t.Parallel()
	c := startCollector(t, allInOne)
	const body = `{"name": "BackupFailed", "severity": "high", "description": "exit code 3", "labels": {"service": "orders"}}`
	raised := c.raise(body)
	assert.Equal(t, raised, c.alert(raised.ID), "it is there at once")
	assert.Equal(t, map[string]string{"alertname": "BackupFailed", "severity": "high", "service": "orders"}, raised.Labels)
	assert.Equal(t, map[string]string{"description": "exit code 3", "created_by": "anonymous"}, raised.Annotations)
	assert.Equal(t, "BackupFailed on orders", c.awaitIncident("open", "firing").Title)
	assert.Equal(t, raised.ID, c.raise(body).ID, "the same alert")

	c.changeAlert(raised.ID, "resolved")
	c.awaitIncident("mitigated", "resolved")
	again := c.raise(body)
	assert.Equal(t, "firing", again.Status, "after it was resolved by hand it fires anew")
	c.awaitIncident("open", "firing")

	resp, answer := c.tryAlert(`{"name": "a", "severity": "high", "labels": {"alertname": "b"}}`)
	p := requireProblem(t, http.StatusBadRequest, resp, answer)
	assert.Equal(t, "labels.alertname", p.Errors[0].Field)
	c.terminate()
}

func (c *collector) changeAlert(id, status string) {
	c.t.Helper()
	code, answer, err := tryRequest(http.MethodPut, at(c.api, "/api/v1/alerts/"+id), "application/json", fmt.Appendf(nil, `{"status": %q}`, status))
	require.NoError(c.t, err)
	require.Equal(c.t, http.StatusOK, code, "%s", answer)
}

// TestAPipelineThatBatchesCannotAnswer tells what is wrong with the configuration.
func TestAPipelineThatBatchesCannotAnswer(t *testing.T) {
	t.Parallel()
	c := startCollector(t, allInOne, withOverlay("{processors: {batch: {timeout: 10ms}}, service: {pipelines: {metrics/alerts: {processors: [batch]}}}}"))
	resp, answer := c.tryAlert(`{"name": "a", "severity": "high"}`)
	p := requireProblem(t, http.StatusInternalServerError, resp, answer)
	assert.Contains(t, p.Detail, "must lead to an \"incident\" exporter")
}

// TestAlertsWhileTheDatabaseIsAway stops PostgreSQL: an alert that a client waits for is refused, and not stored later;
// one that is sent as to an Alertmanager waits in the queue.
func TestAlertsWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	server, err := postgrestest.New()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	database, err := server.CreateDatabase(t.Context(), "monitoring")
	require.NoError(t, err)
	c := startCollector(t, allInOne, withEnv("STATE_DRIVER=postgres", "STATE_URL="+database))
	await(t, "the database", func() error { return statusOf(c, "/api/v1/alerts", http.StatusOK) })

	require.NoError(t, server.Shutdown())
	resp, answer := c.tryAlert(`{"name": "Refused", "severity": "high"}`)
	requireProblem(t, http.StatusServiceUnavailable, resp, answer)
	assert.NotEmpty(t, resp.Header.Get("Retry-After"))
	status, text := c.sendAlerts(`[{"labels": {"alertname": "Queued", "severity": "page"}, "endsAt": "2035-01-01T00:00:00Z"}]`)
	assert.Equal(t, http.StatusOK, status, text)

	require.NoError(t, server.Start())
	found := c.awaitIncident("open", "firing")
	assert.Equal(t, "Queued", found.Title)
	assert.Equal(t, "critical", found.Severity)
	var all []postedAlert
	getJSON(t, at(c.api, "/api/v1/alerts?status=all"), &all)
	for _, a := range all {
		assert.NotEqual(t, "Refused", a.Name)
	}
	c.terminate()
}

func statusOf(c *collector, path string, want int) error {
	status, body, err := tryRequest(http.MethodGet, at(c.api, path), "", nil)
	if err == nil && status != want {
		err = fmt.Errorf("%d %s", status, body)
	}
	return err
}

// TestAPrometheusSendsItsAlerts runs a real one, whose alert fires and is resolved here.
func TestAPrometheusSendsItsAlerts(t *testing.T) {
	t.Parallel()
	c := startCollector(t, allInOne)
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	listen := freePort(t)
	write("rules.yaml", fmt.Sprintf(`groups: [{name: g, interval: 1s, rules: [{alert: SentHere, expr: "vector(time()) < %d", labels: {severity: error, service: shop}}]}]`,
		time.Now().Add(15*time.Second).Unix()))
	write("prometheus.yaml", fmt.Sprintf(`
global: {evaluation_interval: 1s}
rule_files: [rules.yaml]
alerting: {alertmanagers: [{path_prefix: /alertmanager, static_configs: [{targets: ["localhost:%d"]}]}]}
`, c.api))
	p := launch(t, dir, os.Environ(), 0, requiredFile(t, "PROMETHEUS", "a Prometheus"), "--config.file=prometheus.yaml",
		"--storage.tsdb.path=data", fmt.Sprintf("--web.listen-address=localhost:%d", listen), "--rules.alert.resend-delay=1s")
	open := c.awaitIncident("open", "firing")
	assert.Equal(t, "SentHere on shop", open.Title)
	assert.Equal(t, "high", open.Severity)
	var firing []postedAlert
	getJSON(t, at(c.api, `/api/v1/alerts?filter=alertname="SentHere"`), &firing)
	require.Len(t, firing, 1)
	assert.True(t, firing[0].ExpiresAt.After(time.Now().Add(-time.Minute)), "it says until when")

	c.awaitIncident("mitigated", "resolved")
	require.NoError(t, p.terminate())
}

// TestAnAlertWithoutReportsEnds has an alert expire, and its incident follow.
func TestAnAlertWithoutReportsEnds(t *testing.T) {
	t.Parallel()
	c := startCollector(t, allInOne, withOverlay("{exporters: {incident: {sweep_interval: 100ms, expiry_grace: 1s, max_clock_skew: 1s}}}"))
	raised := c.raise(fmt.Sprintf(`{"name": "QueueLong", "severity": "high", "expiresAt": %q}`, time.Now().Add(3*time.Second).Format(time.RFC3339Nano)))
	c.awaitIncident("open", "firing")
	ended := c.awaitIncident("mitigated", "resolved")
	assert.Equal(t, raised.ExpiresAt, c.alert(raised.ID).EndsAt)
	var timeline []struct{ Content string }
	getJSON(t, at(c.api, "/api/v1/incidents/"+ended.ID+"/timeline"), &timeline)
	var told []string
	for _, event := range timeline {
		told = append(told, event.Content)
	}
	assert.Contains(t, told, "QueueLong is over: it was not reported any more")
	c.terminate()
}
