package custommetricsreceiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/quantivista/monitoring/receivers/custommetricsreceiver/internal/metadata"
)

const (
	defaultAPI        = "monitoring_api"
	defaultMaxMetrics = 10_000
)

// NewFactory makes the custom_metrics receiver.
func NewFactory() receiver.Factory {
	return receiver.NewFactory(metadata.Type, createDefaultConfig, receiver.WithMetrics(create, metadata.MetricsStability))
}

func createDefaultConfig() component.Config {
	return &Config{API: component.MustNewID(defaultAPI), MaxMetricsPerRequest: defaultMaxMetrics}
}

func create(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
	return newReceiver(cfg.(*Config), set, next)
}
