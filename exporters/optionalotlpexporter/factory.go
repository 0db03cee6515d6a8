package optionalotlpexporter

import (
	"context"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/otel/metric/noop"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

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
	factory, config := c.sender()
	inner, err := factory.CreateTraces(ctx, settingsFor(factory, set), config)
	if err != nil {
		return nil, err
	}
	d, err := newDivider(traceSignal, inner.ConsumeTraces, set)
	if err != nil {
		return nil, err
	}
	return exporterhelper.NewTraces(ctx, set, c, d.push, c.options(inner, d.telemetry)...)
}

func createLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	c := cfg.(*Config)
	if c.Endpoint == "" {
		return newDiscarder(c, set, countLogRecords)
	}
	factory, config := c.sender()
	inner, err := factory.CreateLogs(ctx, settingsFor(factory, set), config)
	if err != nil {
		return nil, err
	}
	d, err := newDivider(logSignal, inner.ConsumeLogs, set)
	if err != nil {
		return nil, err
	}
	return exporterhelper.NewLogs(ctx, set, c, d.push, c.options(inner, d.telemetry)...)
}

func newDivider[T any](s signal[T], send sender[T], set exporter.Settings) (*divider[T], error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &divider[T]{signal: s, send: send, telemetry: telemetry, logger: set.Logger}, nil
}

// options put queue and retry before a sender that has neither.
func (c *Config) options(inner component.Component, telemetry *metadata.TelemetryBuilder) []exporterhelper.Option {
	return []exporterhelper.Option{
		exporterhelper.WithCapabilities(consumer.Capabilities{}),
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{}), // The sender bounds each request.
		exporterhelper.WithQueue(c.Queue),
		exporterhelper.WithRetry(c.Retry),
		exporterhelper.WithStart(inner.Start),
		exporterhelper.WithShutdown(func(ctx context.Context) error {
			telemetry.Shutdown()
			return inner.Shutdown(ctx)
		}),
	}
}

// settingsFor gives the sender an ID of its own type, as its factory demands. It counts and logs nothing that its caller
// does: only what it warns of itself, such as a partial success.
func settingsFor(factory exporter.Factory, set exporter.Settings) exporter.Settings {
	set.ID = component.NewIDWithName(factory.Type(), set.ID.String())
	set.MeterProvider = noop.NewMeterProvider()
	set.Logger = set.Logger.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core { return belowError{core} }))
	return set
}

// belowError leaves out errors: they are returned, too.
type belowError struct{ zapcore.Core }

func (c belowError) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if entry.Level >= zapcore.ErrorLevel {
		return checked
	}
	return c.Core.Check(entry, checked)
}

func (c belowError) With(fields []zapcore.Field) zapcore.Core { return belowError{c.Core.With(fields)} }

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
	inner.QueueConfig = configoptional.None[exporterhelper.QueueBatchConfig]()
	inner.RetryConfig.Enabled = false
	return inner
}

func (c *Config) http(inner *otlphttpexporter.Config) *otlphttpexporter.Config {
	inner.ClientConfig.Endpoint = strings.TrimSuffix(c.target(), "/") + strings.TrimSuffix(c.Path, "/")
	inner.ClientConfig.Headers = c.Headers
	inner.ClientConfig.Auth = c.Auth
	inner.ClientConfig.TLS = c.TLS
	inner.ClientConfig.Timeout = c.Timeout
	inner.QueueConfig = configoptional.None[exporterhelper.QueueBatchConfig]()
	inner.RetryConfig.Enabled = false
	return inner
}
