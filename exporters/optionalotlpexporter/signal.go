package optionalotlpexporter

import (
	"context"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/metric"

	"github.com/quantivista/monitoring/exporters/optionalotlpexporter/internal/metadata"
)

// signal is what dividing a batch needs to know of spans or log records.
type signal[T any] struct {
	noun  string
	count func(T) int
	// part copies the items of a batch from one place to another, with what they belong to.
	part func(batch T, from, to int) T
	// join moves the items of one batch behind those of another.
	join func(to, from T)
	// retry has the items of a batch sent again, and no others.
	retry   func(error, T) error
	refused func(*metadata.TelemetryBuilder) metric.Int64Counter
}

// sender sends a batch, as the collector's own exporters do.
type sender[T any] func(context.Context, T) error

var traceSignal = signal[ptrace.Traces]{
	noun:  "spans",
	count: ptrace.Traces.SpanCount,
	part:  partOfTraces,
	join:  func(to, from ptrace.Traces) { from.ResourceSpans().MoveAndAppendTo(to.ResourceSpans()) },
	retry: consumererror.NewTraces,
	refused: func(t *metadata.TelemetryBuilder) metric.Int64Counter {
		return t.ExporterRefusedSpans
	},
}

var logSignal = signal[plog.Logs]{
	noun:  "log records",
	count: plog.Logs.LogRecordCount,
	part:  partOfLogs,
	join:  func(to, from plog.Logs) { from.ResourceLogs().MoveAndAppendTo(to.ResourceLogs()) },
	retry: consumererror.NewLogs,
	refused: func(t *metadata.TelemetryBuilder) metric.Int64Counter {
		return t.ExporterRefusedLogRecords
	},
}

func partOfTraces(batch ptrace.Traces, from, to int) ptrace.Traces {
	part, n := ptrace.NewTraces(), 0
	batch.CopyTo(part)
	part.ResourceSpans().RemoveIf(func(rs ptrace.ResourceSpans) bool {
		rs.ScopeSpans().RemoveIf(func(ss ptrace.ScopeSpans) bool {
			ss.Spans().RemoveIf(func(ptrace.Span) bool {
				n++
				return n <= from || n > to
			})
			return ss.Spans().Len() == 0
		})
		return rs.ScopeSpans().Len() == 0
	})
	return part
}

func partOfLogs(batch plog.Logs, from, to int) plog.Logs {
	part, n := plog.NewLogs(), 0
	batch.CopyTo(part)
	part.ResourceLogs().RemoveIf(func(rl plog.ResourceLogs) bool {
		rl.ScopeLogs().RemoveIf(func(sl plog.ScopeLogs) bool {
			sl.LogRecords().RemoveIf(func(plog.LogRecord) bool {
				n++
				return n <= from || n > to
			})
			return sl.LogRecords().Len() == 0
		})
		return rl.ScopeLogs().Len() == 0
	})
	return part
}
