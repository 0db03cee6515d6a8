package optionalotlpexporter

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/quantivista/monitoring/exporters/optionalotlpexporter/internal/metadata"
)

// discarder counts and drops. It logs once, when the first data comes: a pipeline that nobody uses is silent.
type discarder struct {
	component.StartFunc
	telemetry *metadata.TelemetryBuilder
	logger    *zap.Logger
	hint      string
	first     sync.Once
}

var (
	_ exporter.Traces = (*discarder)(nil)
	_ exporter.Logs   = (*discarder)(nil)
)

func newDiscarder(cfg *Config, set exporter.Settings) (*discarder, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &discarder{telemetry: telemetry, logger: set.Logger, hint: cfg.Hint}, nil
}

// Capabilities says that the data is only read.
func (d *discarder) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// ConsumeTraces counts the spans and accepts them.
func (d *discarder) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	d.announce("traces")
	d.telemetry.ExporterDiscardedSpans.Add(ctx, int64(td.SpanCount()))
	return nil
}

// ConsumeLogs counts the records and accepts them.
func (d *discarder) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	d.announce("logs")
	d.telemetry.ExporterDiscardedLogRecords.Add(ctx, int64(ld.LogRecordCount()))
	return nil
}

// Shutdown releases the instruments.
func (d *discarder) Shutdown(context.Context) error {
	d.telemetry.Shutdown()
	return nil
}

func (d *discarder) announce(signal string) {
	d.first.Do(func() {
		hint := d.hint
		if hint == "" {
			hint = "set \"endpoint\" of this exporter"
		}
		d.logger.Warn("Dropping " + signal + ": no endpoint is set; " + hint)
	})
}
