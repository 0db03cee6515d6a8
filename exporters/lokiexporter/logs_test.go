package lokiexporter

import (
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"pgregory.net/rapid"
)

// start is a time that is no one's default.
var start = time.Date(2026, 11, 24, 17, 0, 0, 123456789, time.UTC)

// newLogs gives one resource of a service with a scope, and its records.
func newLogs(service string) (plog.Logs, plog.LogRecordSlice) {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", service)
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName("test")
	return ld, sl.LogRecords()
}

func say(records plog.LogRecordSlice, at time.Time, text string) plog.LogRecord {
	record := records.AppendEmpty()
	record.SetTimestamp(pcommon.NewTimestampFromTime(at))
	record.Body().SetStr(text)
	return record
}

// drawLogs gives a batch in which each record has a body of its own.
func drawLogs(t *rapid.T) plog.Logs {
	ld := plog.NewLogs()
	n := 0
	for range rapid.IntRange(0, 4).Draw(t, "resources") {
		rl := ld.ResourceLogs().AppendEmpty()
		drawAttributes(t, rl.Resource().Attributes())
		for range rapid.IntRange(0, 3).Draw(t, "scopes") {
			sl := rl.ScopeLogs().AppendEmpty()
			drawAttributes(t, sl.Scope().Attributes())
			for range rapid.IntRange(0, 12).Draw(t, "records") {
				record := sl.LogRecords().AppendEmpty()
				padding := rapid.SampledFrom([]int{0, 1, 50, 400}).Draw(t, "padding")
				record.Body().SetStr(fmt.Sprintf("%06d%*s", n, padding, ""))
				n++
				record.SetTimestamp(pcommon.NewTimestampFromTime(start.Add(time.Duration(rapid.IntRange(-5, 5).Draw(t, "second")) * time.Second)))
				record.SetSeverityNumber(plog.SeverityNumber(rapid.IntRange(0, 24).Draw(t, "severity")))
				drawAttributes(t, record.Attributes())
			}
		}
	}
	return ld
}

var drawnKeys = []string{
	"service.name", "service_name", "tenant", "deployment.environment.name", "deployment.environment", "a.b", "a_b", "", "___", "trace_id",
	"k8s.namespace.name", "1", "ä",
}

func drawAttributes(t *rapid.T, attributes pcommon.Map) {
	for range rapid.IntRange(0, 4).Draw(t, "attributes") {
		key := rapid.SampledFrom(drawnKeys).Draw(t, "key")
		if rapid.IntRange(0, 9).Draw(t, "kind") == 0 {
			attributes.PutEmptyMap(key).PutStr(rapid.SampledFrom(drawnKeys).Draw(t, "inner key"), "inner")
			continue
		}
		attributes.PutStr(key, rapid.SampledFrom([]string{"", "x", "y", "\xff", "{\"\\"}).Draw(t, "value"))
	}
}
