package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// records makes a batch of a service, whose records are as old as given.
func records(service string, at ...logLine) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", service)
	list := rl.ScopeLogs().AppendEmpty().LogRecords()
	for _, line := range at {
		record := list.AppendEmpty()
		record.SetTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-line.age)))
		record.Body().SetStr(line.text)
		record.SetSeverityNumber(line.severity)
		record.SetTraceID(line.trace)
	}
	return ld
}

type logLine struct {
	text     string
	age      time.Duration
	severity plog.SeverityNumber
	trace    pcommon.TraceID
}

// sendLogs wants the batch to be acknowledged.
func (c *collector) sendLogs(ld plog.Logs) {
	c.t.Helper()
	body, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	require.NoError(c.t, err)
	c.post(at(c.otlpHTTP, "/v1/logs"), protobuf, body)
}

// refusedByLoki is the counter of one reason.
func (c *collector) refusedByLoki(reason string) float64 {
	n, _ := c.gauge("otelcol_exporter_loki_refused_log_records", `reason="`+reason+`"`) // None yet is 0.
	return n
}

func (c *collector) awaitRefusedByLoki(reason string, want int) {
	c.t.Helper()
	await(c.t, reason, func() error { return atLeast(int(c.refusedByLoki(reason)), want) })
}

// What Loki does not take is dropped and counted; the lines beside it arrive, once.
func TestTheGoodLinesOfABatchArrive(t *testing.T) {
	t.Parallel()
	l := startLoki(t)
	c := startCollector(t, allInOne, withEnv("LOKI_ENDPOINT="+l.endpoint()))
	const month = 30 * 24 * time.Hour
	c.sendLogs(records("shop",
		logLine{text: "first", trace: pcommon.TraceID{1}, severity: plog.SeverityNumberError},
		logLine{text: "last month", age: month}, logLine{text: "last month, too", age: month},
		logLine{text: "tomorrow", age: -24 * time.Hour},
		logLine{text: strings.Repeat("long ", 60_000)},
		logLine{text: "last", severity: plog.SeverityNumberError},
	))
	c.awaitRefusedByLoki("too_old", 2)
	c.awaitRefusedByLoki("too_new", 1)
	lines := l.awaitLines(`{service_name="shop"}`, 3)
	require.Len(t, lines, 3)
	assert.ElementsMatch(t, []string{"first", strings.Repeat("long ", 60_000)[:256<<10], "last"}, lineTexts(lines))
	found := l.awaitLines(`{service_name="shop", severity="error"} | trace_id="01000000000000000000000000000000"`, 1)
	require.Len(t, found, 1)
	assert.Equal(t, "first", found[0].text)

	// The ingester refuses what is hours older than the newest line of the stream.
	c.sendLogs(records("shop", logLine{text: "hours ago", age: 5 * time.Hour, severity: plog.SeverityNumberError},
		logLine{text: "now", severity: plog.SeverityNumberError}))
	c.awaitRefusedByLoki("too_far_behind", 1)
	assert.Equal(t, []string{"first", "last", "now"}, lineTexts(l.awaitLines(`{service_name="shop", severity="error"}`, 3)))

	failed, err := c.gauge("otelcol_exporter_send_failed_log_records", `exporter="loki"`)
	assert.True(t, err != nil || failed == 0, "%v of the lines failed", failed)
	assert.InDelta(t, 2, c.refusedByLoki("too_old"), 0)
	assert.Len(t, c.log().lines("Loki refused log records", "too_old"), 1)
}

// Whatever names and values attributes have, Loki takes the push.
func TestLokiTakesEveryAttribute(t *testing.T) {
	t.Parallel()
	l := startLoki(t)
	c := startCollector(t, allInOne, withEnv("LOKI_ENDPOINT="+l.endpoint()))
	ld := records("sh\"op\\\n�é", logLine{text: "odd"})
	record := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	for _, key := range []string{"", "_", "___", "1", "a.b", "a_b", "ä", "__name__", "service_name", "trace_id"} {
		record.Attributes().PutStr(key, "value of "+key)
	}
	ld.ResourceLogs().At(0).Resource().Attributes().PutStr("deployment.environment", strings.Repeat("long", 1000))
	c.sendLogs(ld)
	line := l.awaitLines(`{service_name=~"sh.+"}`, 1)[0]
	assert.Equal(t, "odd", line.text)
	assert.Equal(t, "sh\"op\\\n?é", line.labels["service_name"])
	assert.Equal(t, "value of trace_id", line.labels["trace_id"])
	assert.Equal(t, "value of a_b", line.labels["a_b_2"])
	assert.Len(t, line.labels["deployment_environment"], 4000)
}

// Loki goes away for a while: what was acknowledged meanwhile is there afterwards, once.
func TestLokiIsAwayForAWhile(t *testing.T) {
	t.Parallel()
	l := startLoki(t)
	c := startCollector(t, "gateway.yaml", withEnv("LOKI_ENDPOINT="+l.endpoint()),
		withOverlay("exporters: {loki: {timeout: 5s, retry_on_failure: {initial_interval: 100ms, max_interval: 1s}}}"))
	send := func(from, to int) {
		for i := from; i < to; i++ {
			c.sendLogs(records("shop", logLine{text: fmt.Sprintf("line %04d", i)}))
		}
	}
	send(0, 100)
	l.awaitLines(`{service_name="shop"}`, 100)
	l.kill()
	send(100, 200)
	await(t, "the exporter to notice", func() error {
		if len(c.log().lines("Exporting failed. Will retry", "loki")) == 0 {
			return fmt.Errorf("no line about it in the log")
		}
		return nil
	})
	c.kill()
	c.start()
	send(200, 300)
	l.start()
	lines := l.awaitLines(`{service_name="shop"}`, 300)
	assert.Len(t, lines, 300)
	want := map[string]bool{}
	for _, line := range lines {
		want[line.text] = true
	}
	assert.Len(t, want, 300)
}
