package lokiexporter

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/quantivista/monitoring/exporters/lokiexporter/internal/metadata"
	"github.com/quantivista/monitoring/internal/discard"
)

// NewFactory makes the loki exporter.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(metadata.Type, createDefaultConfig, exporter.WithLogs(createLogs, metadata.LogsStability))
}

// createDefaultConfig has Loki's own default limits. Loki's burst of 6 MB bounds a push; a smaller one is retried sooner.
func createDefaultConfig() component.Config {
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = 30 * time.Second
	return &Config{
		ClientConfig: client,
		Labels:       defaultLabels(),
		Cardinality:  CardinalityConfig{MaxValues: 1000, Window: 24 * time.Hour},
		Limits: LimitsConfig{
			LineSize:                  256 << 10,
			LabelValueSize:            2048,
			StructuredMetadataSize:    64 << 10,
			StructuredMetadataEntries: 128,
			PushSize:                  1 << 20,
		},
		QueueConfig: configoptional.Some(exporterhelper.NewDefaultQueueConfig()),
		RetryConfig: configretry.NewDefaultBackOffConfig(),
	}
}

func createLogs(ctx context.Context, set exporter.Settings, config component.Config) (exporter.Logs, error) {
	cfg := config.(*Config)
	if cfg.Endpoint == "" {
		return newDiscarder(cfg, set)
	}
	e, err := newLokiExporter(cfg, set)
	if err != nil {
		return nil, err
	}
	return exporterhelper.NewLogs(ctx, set, cfg, e.consume,
		exporterhelper.WithStart(e.start),
		exporterhelper.WithShutdown(e.shutdown),
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{Timeout: 0}), // the client has one for each push
		exporterhelper.WithQueue(cfg.QueueConfig),
		exporterhelper.WithRetry(cfg.RetryConfig))
}

func newDiscarder(cfg *Config, set exporter.Settings) (exporter.Logs, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &discard.Exporter{
		Logger: set.Logger,
		Hint:   cfg.Hint,
		Count:  func(ctx context.Context, n int64) { telemetry.ExporterDiscardedLogRecords.Add(ctx, n) },
		Close:  telemetry.Shutdown,
	}, nil
}
