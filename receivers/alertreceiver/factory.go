package alertreceiver

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/receivers/alertreceiver/internal/metadata"
)

// NewFactory makes the alert receiver.
func NewFactory() receiver.Factory {
	return receiver.NewFactory(metadata.Type, createDefaultConfig, receiver.WithMetrics(create, metadata.MetricsStability))
}

// createDefaultConfig has Alertmanager's own resolve timeout.
func createDefaultConfig() component.Config {
	return &Config{
		API:                 component.MustNewID("monitoring_api"),
		ResolveTimeout:      5 * time.Minute,
		MaxAlertsPerRequest: 10_000,
		SeverityConfig:      alert.NewSeverityConfig(),
	}
}

func create(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
	return newReceiver(cfg.(*Config), set, next)
}
