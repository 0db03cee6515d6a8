package monitoringapiextension

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/extension"

	"github.com/quantivista/monitoring/extensions/monitoringapiextension/internal/metadata"
	"github.com/quantivista/monitoring/internal/alert"
)

const (
	defaultEndpoint         = "localhost:8090"
	defaultMetricStore      = "metric_store"
	defaultScrapeAPITimeout = 5 * time.Second
	// defaultRequestTime leaves a query its 2 minutes and the answer one more. net/http ends a request's context
	// with its read time-out, too, so that both must be as long.
	defaultRequestTime = 3 * time.Minute
)

// NewFactory makes the monitoring_api extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type, createDefaultConfig, create, metadata.ExtensionStability)
}

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = defaultEndpoint
	server.ReadTimeout = defaultRequestTime
	server.WriteTimeout = defaultRequestTime
	loki := confighttp.NewDefaultClientConfig()
	loki.Timeout = defaultLokiTimeout
	return &Config{
		ServerConfig: server,
		MetricStore:  component.MustNewID(defaultMetricStore),
		Jaeger:       JaegerConfig{ClientConfig: configgrpc.NewDefaultClientConfig(), Timeout: defaultJaegerTimeout},
		Evidence:     defaultEvidence(),
		Loki:         LokiConfig{ClientConfig: loki},
		Health: HealthConfig{
			Interval:        30 * time.Second,
			Timeout:         20 * time.Second,
			DetailsInterval: time.Minute,
			ForgetAfter:     time.Hour,
			Alerts:          HealthAlertsConfig{Unhealthy: string(alert.Critical), Degraded: string(alert.High)},
		},
	}
}

func create(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
	return newExtension(cfg.(*Config), set), nil
}
