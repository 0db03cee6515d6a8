package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRuleToIncident goes the whole way on the shipped configuration: a rule made by the API fires, opens an
// incident, and both end; once on the SQLite that is the default, once on PostgreSQL. The process is killed while the
// alert fires, and what was told before is not told again.
func TestRuleToIncident(t *testing.T) {
	t.Parallel()
	eachDatabase(t, ruleToIncident)
}

// incident is the part of an incident that the test looks at.
type incident struct {
	ID, Title, Status, Severity string
	AffectedServices            []string
	RelatedAlerts               []struct{ Name, Status string }
}

func ruleToIncident(t *testing.T, d *database) {
	c := startCollector(t, allInOne, d.option())
	c.postJSON("/api/v1/alerts/rules", http.StatusCreated, `{"name": "QueueLong", "query": "jobs_waiting > 10",
		"duration": "1s", "evaluationInterval": "1s", "severity": "high", "labels": {"service": "mailer"}}`)
	c.setQueue(17)
	open := c.awaitIncident("open", "firing")
	assert.Equal(t, "QueueLong on mailer", open.Title)
	assert.Equal(t, "high", open.Severity)
	assert.Equal(t, []string{"mailer"}, open.AffectedServices)

	c.kill()
	c.start()
	c.setQueue(3)
	ended := c.awaitIncident("mitigated", "resolved")
	assert.Equal(t, open.ID, ended.ID)

	var timeline []struct{ Type, Content string }
	getJSON(t, at(c.api, "/api/v1/incidents/"+open.ID+"/timeline"), &timeline)
	told := map[string]int{}
	for _, event := range timeline {
		told[event.Content]++
	}
	for content, times := range told {
		assert.Equal(t, 1, times, content)
	}
	assert.Contains(t, told, "QueueLong began to fire")
	assert.Contains(t, told, "QueueLong was resolved")
	c.terminate()
}

// setQueue posts the metric that the rule looks at.
func (c *collector) setQueue(jobs int) {
	c.t.Helper()
	c.postJSON("/api/v1/metrics/custom", http.StatusCreated, fmt.Sprintf(`{"metrics": [{"name": "jobs_waiting", "value": %d}]}`, jobs))
}

func (c *collector) postJSON(path string, want int, body string) {
	c.t.Helper()
	status, answer, err := tryRequest(http.MethodPost, at(c.api, path), "application/json", []byte(body))
	require.NoError(c.t, err)
	require.Equal(c.t, want, status, "%s", answer)
}

// alertStatuses are those of its alerts, sorted.
func (in *incident) alertStatuses() (statuses []string) {
	for _, a := range in.RelatedAlerts {
		statuses = append(statuses, a.Status)
	}
	slices.Sort(statuses)
	return statuses
}

// awaitIncident waits for the one incident to have this status, and its alerts these.
func (c *collector) awaitIncident(status string, alertStatuses ...string) (found incident) {
	c.t.Helper()
	await(c.t, "an incident that is "+status, func() error {
		code, body, err := tryRequest(http.MethodGet, at(c.api, "/api/v1/incidents?status=all"), "", nil)
		if err != nil || code != http.StatusOK {
			return fmt.Errorf("%d %s: %w", code, body, err)
		}
		var all []incident
		if err := json.Unmarshal(body, &all); err != nil {
			return err
		}
		if len(all) != 1 || all[0].Status != status || !slices.Equal(all[0].alertStatuses(), slices.Sorted(slices.Values(alertStatuses))) {
			return fmt.Errorf("incidents are %s", body)
		}
		found = all[0]
		return nil
	})
	return found
}
