package optionalotlpexporter

import (
	"context"

	"go.opentelemetry.io/collector/exporter"

	"github.com/quantivista/monitoring/exporters/optionalotlpexporter/internal/metadata"
	"github.com/quantivista/monitoring/internal/discard"
)

// newDiscarder counts by the instrument that count picks.
func newDiscarder(cfg *Config, set exporter.Settings, count func(context.Context, *metadata.TelemetryBuilder, int64)) (*discard.Exporter, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &discard.Exporter{
		Logger: set.Logger,
		Hint:   cfg.Hint,
		Count:  func(ctx context.Context, n int64) { count(ctx, telemetry, n) },
		Close:  telemetry.Shutdown,
	}, nil
}

func countSpans(ctx context.Context, t *metadata.TelemetryBuilder, n int64) {
	t.ExporterDiscardedSpans.Add(ctx, n)
}

func countLogRecords(ctx context.Context, t *metadata.TelemetryBuilder, n int64) {
	t.ExporterDiscardedLogRecords.Add(ctx, n)
}
