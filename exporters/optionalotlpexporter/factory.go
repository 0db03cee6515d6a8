package optionalotlpexporter

import (
	"context"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"

	"github.com/quantivista/monitoring/exporters/optionalotlpexporter/internal/metadata"
)

// NewFactory makes the optional_otlp exporter.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(metadata.Type, createDefaultConfig,
		exporter.WithTraces(createTraces, metadata.TracesStability),
		exporter.WithLogs(createLogs, metadata.LogsStability))
}

func createDefaultConfig() component.Config {
	return &Config{
		Timeout: 30 * time.Second,
		Queue:   configoptional.Some(exporterhelper.NewDefaultQueueConfig()),
		Retry:   configretry.NewDefaultBackOffConfig(),
	}
}

func createTraces(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Traces, error) {
	c := cfg.(*Config)
	if c.Endpoint == "" {
		return newDiscarder(c, set, countSpans)
	}
	factory, inner := c.sender()
	return factory.CreateTraces(ctx, settingsFor(factory, set), inner)
}

func createLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	c := cfg.(*Config)
	if c.Endpoint == "" {
		return newDiscarder(c, set, countLogRecords)
	}
	factory, inner := c.sender()
	return factory.CreateLogs(ctx, settingsFor(factory, set), inner)
}

// settingsFor gives the sender an ID of its own type, as its factory demands. Our whole ID becomes its name, so
// that its telemetry and its persistent queue never meet those of an exporter that the user named alike.
func settingsFor(factory exporter.Factory, set exporter.Settings) exporter.Settings {
	set.ID = component.NewIDWithName(factory.Type(), set.ID.String())
	return set
}

// sender gives the collector's own OTLP exporter for the endpoint, and its configuration.
func (c *Config) sender() (exporter.Factory, component.Config) {
	if c.protocol() == protocolGRPC {
		factory := otlpexporter.NewFactory()
		return factory, c.grpc(factory.CreateDefaultConfig().(*otlpexporter.Config))
	}
	factory := otlphttpexporter.NewFactory()
	return factory, c.http(factory.CreateDefaultConfig().(*otlphttpexporter.Config))
}

func (c *Config) grpc(inner *otlpexporter.Config) *otlpexporter.Config {
	inner.ClientConfig.Endpoint = c.target()
	inner.ClientConfig.Headers = c.Headers
	inner.ClientConfig.Auth = c.Auth
	inner.ClientConfig.TLS = c.TLS
	// The scheme decides: plain text for http, TLS for https.
	inner.ClientConfig.TLS.Insecure = strings.HasPrefix(c.target(), "http://")
	inner.TimeoutConfig.Timeout = c.Timeout
	inner.QueueConfig = c.Queue
	inner.RetryConfig = c.Retry
	return inner
}

func (c *Config) http(inner *otlphttpexporter.Config) *otlphttpexporter.Config {
	inner.ClientConfig.Endpoint = strings.TrimSuffix(c.target(), "/") + strings.TrimSuffix(c.Path, "/")
	inner.ClientConfig.Headers = c.Headers
	inner.ClientConfig.Auth = c.Auth
	inner.ClientConfig.TLS = c.TLS
	inner.ClientConfig.Timeout = c.Timeout
	inner.QueueConfig = c.Queue
	inner.RetryConfig = c.Retry
	return inner
}
