package monitoringapiextension

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/extension"

	"github.com/quantivista/monitoring/extensions/monitoringapiextension/internal/metadata"
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
	return &Config{
		ServerConfig: server,
		MetricStore:  component.MustNewID(defaultMetricStore),
	}
}

func create(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
	return newExtension(cfg.(*Config), set), nil
}
