package discard

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"
)

// Exporter accepts, counts and drops. It logs once, when the first data comes: a pipeline that nobody uses is silent.
type Exporter struct {
	component.StartFunc

	// Logger takes the one line.
	Logger *zap.Logger
	// Hint ends it: what to set, in the words of the user's setup. Empty tells the key of the configuration.
	Hint string
	// Count takes the number of spans or records of each request.
	Count func(ctx context.Context, n int64)
	// Close is called at the shutdown; nil for nothing.
	Close func()

	first sync.Once
}

var (
	_ exporter.Traces = (*Exporter)(nil)
	_ exporter.Logs   = (*Exporter)(nil)
)

// Capabilities says that the data is only read.
func (e *Exporter) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// ConsumeTraces counts the spans and accepts them.
func (e *Exporter) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	e.announce("traces")
	e.Count(ctx, int64(td.SpanCount()))
	return nil
}

// ConsumeLogs counts the records and accepts them.
func (e *Exporter) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	e.announce("logs")
	e.Count(ctx, int64(ld.LogRecordCount()))
	return nil
}

// Shutdown closes.
func (e *Exporter) Shutdown(context.Context) error {
	if e.Close != nil {
		e.Close()
	}
	return nil
}

func (e *Exporter) announce(signal string) {
	e.first.Do(func() {
		hint := e.Hint
		if hint == "" {
			hint = "set \"endpoint\" of this exporter"
		}
		e.Logger.Warn("Dropping " + signal + ": no endpoint is set; " + hint)
	})
}
