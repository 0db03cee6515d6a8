package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The rules of the tests of faults: each series of the gauge "broken" above 0 is two alerts of its service, one at
// once and one a second later.
const (
	brokenSeries = 5 // of a service, where the number does not matter
	brokenRules  = `groups:
- name: broken
  interval: 1s
  rules:
  - {alert: Broken, expr: broken > 0, labels: {severity: high}}
  - {alert: StillBroken, expr: broken > 0, for: 1s, labels: {severity: high}}
`
	rulesOfBroken = 2
)

// writeRules gives a collector a rule file, before or while it runs.
func (c *collector) writeRules(name, rules string) {
	c.t.Helper()
	folder := filepath.Join(c.data, "rules")
	require.NoError(c.t, os.MkdirAll(folder, 0o750))
	require.NoError(c.t, os.WriteFile(filepath.Join(folder, name), []byte(rules), 0o600))
}

// setBroken sets series of a service, told apart by the label n.
func (c *collector) setBroken(service string, series, value int) {
	c.t.Helper()
	require.NoError(c.t, c.trySetBroken(service, series, value))
}

func (c *collector) trySetBroken(service string, series, value int) error {
	type metric struct {
		Name   string            `json:"name"`
		Value  int               `json:"value"`
		Labels map[string]string `json:"labels"`
	}
	metrics := make([]metric, series)
	for n := range metrics {
		metrics[n] = metric{"broken", value, map[string]string{"service": service, "n": strconv.Itoa(n)}}
	}
	body, err := json.Marshal(map[string]any{"metrics": metrics})
	if err != nil {
		return err
	}
	status, answer, err := tryRequest(http.MethodPost, at(c.api, "/api/v1/metrics/custom"), "application/json", body)
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("%d: %s", status, answer)
	}
	return err
}

// keyOf is the correlation key of the alerts of a service.
func keyOf(service string) string { return `{"service":"` + service + `"}` }

// awaitAlerts waits until the database has so many alerts of a service, all of a status, and its one incident that.
func (d *database) awaitAlerts(c *collector, service string, alerts int, status, incidentStatus string) {
	d.t.Helper()
	want := [][]string{{strconv.Itoa(alerts), strconv.Itoa(alerts), "1", incidentStatus}}
	await(d.t, fmt.Sprintf("%d alerts of %s that are %s, in an incident that is %s", alerts, service, status, incidentStatus), func() error {
		if c.process.exited() {
			d.t.Fatalf("the collector ended: %v", c.process.err)
		}
		got, err := d.rows(c, fmt.Sprintf(`SELECT (SELECT COUNT(*) FROM alerts WHERE service_name = '%[1]s'),
			(SELECT COUNT(*) FROM alerts WHERE service_name = '%[1]s' AND status = '%[2]s'),
			(SELECT COUNT(*) FROM incidents WHERE correlation_key = '%[3]s'),
			(SELECT MIN(status) FROM incidents WHERE correlation_key = '%[3]s')`, service, status, keyOf(service)))
		if err == nil && !assert.ObjectsAreEqual(want, got) {
			err = fmt.Errorf("alerts, those %s, incidents and their status are %v, want %v", status, got, want)
		}
		return err
	})
}

// requireSound wants what must hold of every database at rest, whatever has happened.
func (d *database) requireSound(c *collector) {
	d.t.Helper()
	for what, query := range map[string]string{
		"two alerts of one label set fire":        `SELECT fingerprint FROM alerts WHERE status = 'firing' GROUP BY fingerprint HAVING COUNT(*) > 1`,
		"an alert has several rows":               `SELECT fingerprint FROM alerts GROUP BY fingerprint HAVING COUNT(*) > 1`,
		"an alert is in no incident":              `SELECT id FROM alerts a WHERE NOT EXISTS (SELECT 1 FROM incident_alerts l WHERE l.alert_id = a.id)`,
		"an alert is in two unresolved incidents": `SELECT alert_id FROM incident_alerts WHERE active GROUP BY alert_id HAVING COUNT(*) > 1`,
		"a key has two unresolved incidents":      `SELECT correlation_key FROM incidents WHERE status <> 'resolved' AND correlation_key <> '' GROUP BY correlation_key HAVING COUNT(*) > 1`,
		"an incident is over while an alert fires": `SELECT i.id FROM incidents i JOIN incident_alerts l ON l.incident_id = i.id JOIN alerts a ON a.id = l.alert_id
			WHERE i.status IN ('mitigated', 'resolved') AND a.status = 'firing'`,
		"an incident is open and no alert fires": `SELECT i.id FROM incidents i WHERE i.status IN ('open', 'investigating') AND correlation_key <> '' AND NOT EXISTS
			(SELECT 1 FROM incident_alerts l JOIN alerts a ON a.id = l.alert_id WHERE l.incident_id = i.id AND a.status = 'firing')`,
		"a timeline has a gap":     `SELECT incident_id FROM timeline_events GROUP BY incident_id HAVING MIN(sequence) <> 1 OR MAX(sequence) <> COUNT(*)`,
		"an incident has no event": `SELECT id FROM incidents i WHERE NOT EXISTS (SELECT 1 FROM timeline_events e WHERE e.incident_id = i.id)`,
		"an event is told twice":   `SELECT incident_id, content, metadata FROM timeline_events GROUP BY incident_id, content, metadata HAVING COUNT(*) > 1`,
	} {
		require.Empty(d.t, d.requireRows(c, query), what)
	}
}

// requireToldOnce wants the whole story of an outage of a service, each step once: the incident opened, each alert began
// and was resolved, the incident mitigated.
func (d *database) requireToldOnce(c *collector, service string, series int) {
	d.t.Helper()
	told := map[string]int{}
	for _, row := range d.requireRows(c, `SELECT content FROM timeline_events e JOIN incidents i ON i.id = e.incident_id WHERE correlation_key = '`+keyOf(service)+`'`) {
		told[row[0]]++
	}
	// That evidence was collected is told once, too, where the outage lasts for so long.
	maps.DeleteFunc(told, func(content string, times int) bool {
		return strings.HasPrefix(content, "Evidence collected") && times == 1
	})
	require.Equal(d.t, map[string]int{
		"Incident opened with severity 'high'": 1,
		"Broken began to fire":                 series,
		"StillBroken began to fire":            series,
		"Broken was resolved":                  series,
		"StillBroken was resolved":             series,
		"Status changed from 'open' to 'mitigated': all alerts are resolved": 1,
	}, told, service)
}

// requireServed wants the API to tell of a service what the database has.
func (c *collector) requireServed(service string, alerts int, status string) {
	c.t.Helper()
	var listed []struct {
		ID, Status string
		Labels     map[string]string
	}
	getJSON(c.t, at(c.api, "/api/v1/alerts?status=all&limit=1000&filter="+url.QueryEscape(`service="`+service+`"`)), &listed)
	ids := map[string]bool{}
	for _, a := range listed {
		ids[a.ID] = true
		require.Equal(c.t, status, a.Status)
		require.Equal(c.t, service, a.Labels["service"])
	}
	require.Len(c.t, ids, alerts)
}
