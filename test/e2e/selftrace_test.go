package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// The collector's own work, and the life of an incident from the alert to its end, are traces in Jaeger; the one of an
// incident has the incident's id.
func TestTheLifeOfAnIncidentIsATrace(t *testing.T) {
	t.Parallel()
	j, p := startJaeger(t), newPager(t)
	c := startCollector(t, allInOne, withJaeger(j), withRoutes(t, `
route: {receiver: pager, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: pager, webhook_configs: [{url: "`+p.url+`"}]}]
`), withOverlay("{exporters: {incident: {quiet_period: 1s, sweep_interval: 1s}}}"), withOverlay(fmt.Sprintf(
		`{service: {telemetry: {traces: {level: normal, sampler: {parent_based: {root: {trace_id_ratio_based: {ratio: 1.0}}}}, processors: [{batch: {schedule_delay: 100, exporter: {otlp: {protocol: grpc, endpoint: "http://%s"}}}}]}}}}`,
		j.endpoint())))
	c.postJSON("/api/v1/alerts/rules", http.StatusCreated, `{"name": "QueueLong", "query": "jobs_waiting > 10",
		"duration": "1s", "evaluationInterval": "1s", "severity": "high", "labels": {"service": "mailer"}}`)
	c.setQueue(17)
	open := c.awaitIncident("open", "firing")
	trace := "/" + strings.ReplaceAll(open.ID, "-", "")
	c.awaitSpans(trace, "incident opened", "alert firing", "alerts grouped", "notified")
	c.postJSON("/api/v1/incidents/"+open.ID+"/acknowledge", http.StatusOK, `{"by": "ada"}`)
	c.setQueue(3)
	c.awaitIncident("resolved", "resolved")
	c.awaitSpans(trace, "acknowledged", "alert resolved", "incident mitigated", "incident resolved", "incident")
	for _, operation := range []string{"evaluate rule group", "write incidents", "notify"} {
		await(t, operation, func() error {
			found, err := c.tryTraces("?service=otelcol-quantivista&operation=" + strings.ReplaceAll(operation, " ", "+"))
			if err == nil && len(found) == 0 {
				err = fmt.Errorf("no trace with %q", operation)
			}
			return err
		})
	}
	c.terminate()
}

// awaitSpans waits until a trace has spans of these names.
func (c *collector) awaitSpans(trace string, names ...string) {
	c.t.Helper()
	await(c.t, strings.Join(names, ", "), func() error {
		traces, err := c.tryTraces(trace)
		if err != nil {
			return err
		}
		var found []string
		for _, spans := range traces {
			for _, span := range spans {
				found = append(found, span.Name())
			}
		}
		slices.Sort(found)
		return missing(found, names...)
	})
}
