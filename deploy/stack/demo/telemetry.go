package demo

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/propagation"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// telemetryEvery is how often metrics are sent; spans and log records wait less.
const telemetryEvery = 5 * time.Second

// telemetry is what a service tells of itself, in the three signals.
type telemetry struct {
	traces  *sdktrace.TracerProvider
	metrics *sdkmetric.MeterProvider
	logs    *sdklog.LoggerProvider
	logger  *slog.Logger
}

func newTelemetry(ctx context.Context, service, otlp string) (telemetry, error) {
	spans, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(otlp), otlptracegrpc.WithInsecure())
	if err != nil {
		return telemetry{}, err
	}
	points, err := otlpmetricgrpc.New(ctx, otlpmetricgrpc.WithEndpoint(otlp), otlpmetricgrpc.WithInsecure())
	if err != nil {
		return telemetry{}, err
	}
	records, err := otlploggrpc.New(ctx, otlploggrpc.WithEndpoint(otlp), otlploggrpc.WithInsecure())
	if err != nil {
		return telemetry{}, err
	}
	about := resource.NewSchemaless(
		attribute.String("service.name", service), attribute.String("service.version", "1.0.0"), attribute.String("deployment.environment.name", "demo"))
	t := telemetry{
		traces:  sdktrace.NewTracerProvider(sdktrace.WithResource(about), sdktrace.WithBatcher(spans, sdktrace.WithBatchTimeout(time.Second))),
		metrics: sdkmetric.NewMeterProvider(sdkmetric.WithResource(about), sdkmetric.WithReader(sdkmetric.NewPeriodicReader(points, sdkmetric.WithInterval(telemetryEvery)))),
		logs:    sdklog.NewLoggerProvider(sdklog.WithResource(about), sdklog.WithProcessor(sdklog.NewBatchProcessor(records))),
	}
	t.logger = otelslog.NewLogger(service, otelslog.WithLoggerProvider(t.logs))
	return t, nil
}

// options of instrumented HTTP, client and server.
func (t telemetry) options() []otelhttp.Option {
	return []otelhttp.Option{
		otelhttp.WithTracerProvider(t.traces), otelhttp.WithMeterProvider(t.metrics),
		otelhttp.WithPropagators(propagation.TraceContext{}),
	}
}

// shutdown sends what waits.
func (t telemetry) shutdown(ctx context.Context) error {
	return errors.Join(t.traces.Shutdown(ctx), t.metrics.Shutdown(ctx), t.logs.Shutdown(ctx))
}
