package incidentexporter

import (
	"context"
	"time"

	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/quantivista/monitoring/exporters/incidentexporter/internal/metadata"
	"github.com/quantivista/monitoring/internal/incident"
)

// NewFactory makes the incident exporter.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(metadata.Type, createDefaultConfig,
		exporter.WithMetrics(createMetrics, metadata.MetricsStability))
}

// createDefaultConfig has a queue and retries without an end, so that an outage of the database loses nothing while
// the collector runs. Transactions take turns, which is why more than one consumer would only wait.
func createDefaultConfig() component.Config {
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.QueueSize, queue.NumConsumers = 10_000, 1
	retry := configretry.NewDefaultBackOffConfig()
	retry.InitialInterval, retry.MaxInterval, retry.MaxElapsedTime = time.Second, 10*time.Second, 0
	return &Config{
		SQLStore: component.MustNewID("sql_store"),
		ServiceGraph: configoptional.Default(ServiceGraphConfig{
			MetricStore: component.MustNewID("metric_store"), MaxHops: 2, Window: time.Hour,
			RefreshInterval: 30 * time.Second, Timeout: 10 * time.Second,
		}),
		CorrelationLabels: incident.DefaultLabels(),
		MinSeverity:       string(incident.DefaultMinSeverity),
		TitleTemplate:     incident.DefaultTitle,
		QuietPeriod:       incident.DefaultQuietPeriod,
		ReopenWindow:      incident.DefaultReopenWindow,
		FlapWindow:        incident.DefaultFlapWindow,
		SweepInterval:     15 * time.Second,
		ExpiryGrace:       5 * time.Minute,
		MaxClockSkew:      time.Minute,
		Retention:         model.Duration(365 * 24 * time.Hour),
		TimeoutConfig:     exporterhelper.TimeoutConfig{Timeout: time.Minute},
		QueueConfig:       configoptional.Some(queue),
		RetryConfig:       retry,
	}
}

func createMetrics(ctx context.Context, set exporter.Settings, config component.Config) (exporter.Metrics, error) {
	return newIncidentExporter(ctx, config.(*Config), set)
}
