package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// apiLine is a line as the API tells it.
type apiLine struct {
	Line, Severity, TraceID, SpanID string
	Timestamp                       time.Time
	Labels, Metadata                map[string]string
}

// tryLogs asks the API.
func (c *collector) tryLogs(query string) ([]apiLine, error) {
	var answer struct{ Data struct{ Lines []apiLine } }
	err := tryJSON(at(c.api, "/api/v1/logs?query="+url.QueryEscape(query)), &answer)
	return answer.Data.Lines, err
}

// Lines that come by OTLP, by Loki's push API and from a file are found by the API, with their traces.
func TestLogsOfAllWaysAreFoundWithTheirTraces(t *testing.T) {
	t.Parallel()
	const trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	l := startLoki(t)
	c := newCollector(t, allInOne, withEnv("LOKI_ENDPOINT="+l.endpoint()), withLogFormats(t, "json"),
		withOverlay("{receivers: {filelog/json: {start_at: beginning}}}"))
	file := filepath.Join(c.data, "shop.json")
	c.env = append(c.env, "JSON_LOG_FILES="+file)
	now := time.Now().UTC().Format(time.RFC3339Nano)
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil,
		`{"time":%q,"level":"error","msg":"by file","service":"shop","trace_id":%q,"span_id":%q}`+"\n", now, trace, span), 0o600))
	c.start()
	ld := records("shop", logLine{text: "by OTLP", severity: plog.SeverityNumberError2, trace: pcommon.TraceID{0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36}})
	ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).SetSpanID(pcommon.SpanID{0, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 2, 0xb7})
	c.sendLogs(ld)
	c.post(at(c.loki, "/loki/api/v1/push"), "application/json", []byte(`{"streams": [{"stream": {"service_name": "shop", "severity": "error"},
		"values": [["`+unixNano()+`", "by push", {"trace_id": "`+trace+`", "span_id": "`+span+`"}]]}]}`))

	var found []apiLine
	await(t, "the lines of the trace", func() (err error) {
		if found, err = c.tryLogs(`{service_name="shop"} | trace_id="` + trace + `"`); err == nil {
			err = atLeast(len(found), 3)
		}
		return err
	})
	var texts []string
	for _, line := range found {
		texts = append(texts, line.Line)
		assert.Equal(t, []string{trace, span, "error"}, []string{line.TraceID, line.SpanID, line.Severity}, line.Line)
		assert.WithinDuration(t, time.Now(), line.Timestamp, 5*time.Minute)
		assert.Equal(t, "shop", line.Labels["service_name"])
	}
	assert.ElementsMatch(t, []string{"by file", "by OTLP", "by push"}, texts)

	var names []string
	getJSON(t, at(c.api, "/api/v1/logs/labels"), &names)
	assert.Subset(t, names, []string{"service_name", "severity"})
	getJSON(t, at(c.api, "/api/v1/logs/labels/service_name/values"), &names)
	assert.Equal(t, []string{"shop"}, names)
	var volumes []struct {
		Labels map[string]string
		Bytes  int
	}
	await(t, "the volume", func() error {
		if err := tryJSON(at(c.api, "/api/v1/logs/volume?by=service_name&query="+url.QueryEscape(`{service_name="shop"}`)), &volumes); err != nil {
			return err
		}
		return atLeast(len(volumes), 1)
	})
	assert.Positive(t, volumes[0].Bytes)
	var patterns []map[string]any
	getJSON(t, at(c.api, "/api/v1/logs/patterns?query="+url.QueryEscape(`{service_name="shop"}`)), &patterns)

	var faulty problem
	status, err := tryProblem(at(c.api, "/api/v1/logs?query="+url.QueryEscape(`{service_name=`)), &faulty)
	require.NoError(t, err)
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Equal(t, "query", faulty.Errors[0].Field)

	l.kill()
	status, err = tryProblem(at(c.api, "/api/v1/logs/labels"), &faulty)
	require.NoError(t, err)
	assert.Equal(t, http.StatusBadGateway, status)
	assert.Contains(t, faulty.Detail, "Loki")
}

// Counts of log records raise alerts, by the shipped rules.
func TestAPanicInTheLogsIsAnIncident(t *testing.T) {
	t.Parallel()
	rules, err := filepath.Abs(filepath.Join(configs, "rules", "logs.yaml"))
	require.NoError(t, err)
	c := startCollector(t, allInOne, withEnv("RULE_FILES="+rules),
		withOverlay("{processors: {interval: {interval: 1s}, alert_rule: {evaluation_interval: 1s}}}"))
	c.sendLogs(records("shop",
		logLine{text: "panic: assignment to entry in nil map", severity: plog.SeverityNumberFatal},
		logLine{text: "card declined", severity: plog.SeverityNumberError},
		logLine{text: "nobody panics: all is well", severity: plog.SeverityNumberInfo, age: time.Hour},
	))
	open := c.awaitIncident("open", "firing")
	assert.Equal(t, "LogPanic on shop", open.Title)
	for series, want := range map[string]float64{"log_records_total": 3, "log_records_errors_total": 2, "log_records_panics_total": 1} {
		assert.InDelta(t, want, c.number(series+`{job="shop"}`), 0, series)
	}
}

// Loki's own ruler sends its alerts to this Alertmanager, and they make incidents.
func TestLokisRulerMakesIncidents(t *testing.T) {
	t.Parallel()
	c := newCollector(t, allInOne)
	rules := t.TempDir()
	shipped, err := os.ReadFile(filepath.Join(configs, "loki", "rules", "logs.yaml"))
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Join(rules, "fake"), 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(rules, "fake", "logs.yaml"), shipped, 0o600))
	l := startLoki(t, "-ruler.storage.type=local", "-ruler.storage.local.directory="+rules, "-ruler.rule-path="+t.TempDir(),
		"-ruler.alertmanager-url="+at(c.api, "/alertmanager"), "-ruler.evaluation-interval=1s", "-ruler.poll-interval=1s")
	c.env = append(c.env, "LOKI_ENDPOINT="+l.endpoint())
	c.start()
	c.sendLogs(records("shop", logLine{text: "panic: out of coffee"}))
	open := c.awaitIncident("open", "firing")
	assert.Equal(t, "PanicLogged on shop", open.Title)
	assert.Equal(t, "high", open.Severity)
}

// tryProblem gives the status of an answer, and the problem that it has.
func tryProblem(target string, into *problem) (status int, err error) {
	status, body, err := tryRequest(http.MethodGet, target, "", nil)
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	return status, err
}
