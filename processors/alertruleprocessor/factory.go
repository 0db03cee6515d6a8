package alertruleprocessor

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/processors/alertruleprocessor/internal/metadata"
)

// NewFactory makes the alert_rule processor.
func NewFactory() processor.Factory {
	return processor.NewFactory(metadata.Type, createDefaultConfig, processor.WithMetrics(createMetrics, metadata.MetricsStability))
}

// createDefaultConfig has Prometheus' own defaults, but for the evaluation interval.
func createDefaultConfig() component.Config {
	return &Config{
		MetricStore:          component.MustNewID("metric_store"),
		ReloadInterval:       2 * time.Second,
		EvaluationInterval:   15 * time.Second,
		Concurrency:          4,
		ExternalURL:          "http://localhost:8090/prometheus",
		ForOutageTolerance:   time.Hour,
		AlertOutageTolerance: time.Hour,
		ForGracePeriod:       10 * time.Minute,
		ResendDelay:          time.Minute,
		MaxWaiting:           100_000,
		SeverityConfig:       alert.NewSeverityConfig(),
	}
}

func createMetrics(_ context.Context, set processor.Settings, cfg component.Config, next consumer.Metrics) (processor.Metrics, error) {
	return newProcessor(cfg.(*Config), set, next)
}
