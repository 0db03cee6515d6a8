package otlpreceiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/xconsumer"
	"go.opentelemetry.io/collector/receiver"
	collector "go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/xreceiver"

	"github.com/quantivista/monitoring/receivers/otlpreceiver/internal/metadata"
)

// Config is that of the Collector's receiver: endpoints, TLS, authentication, limits and URL paths.
type Config = collector.Config

// NewFactory makes the otlp receiver.
func NewFactory() receiver.Factory {
	running := &instances{}
	return xreceiver.NewFactory(
		metadata.Type,
		collector.NewFactory().CreateDefaultConfig,
		xreceiver.WithTraces(running.createTraces, metadata.TracesStability),
		xreceiver.WithMetrics(running.createMetrics, metadata.MetricsStability),
		xreceiver.WithLogs(running.createLogs, metadata.LogsStability),
		xreceiver.WithProfiles(running.createProfiles, metadata.ProfilesStability),
	)
}

func (i *instances) createTraces(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Traces) (receiver.Traces, error) {
	return i.add(set, cfg.(*Config), func(r *otlpReceiver) { r.traces = next })
}

func (i *instances) createMetrics(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
	return i.add(set, cfg.(*Config), func(r *otlpReceiver) { r.metrics = next })
}

func (i *instances) createLogs(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
	return i.add(set, cfg.(*Config), func(r *otlpReceiver) { r.logs = next })
}

func (i *instances) createProfiles(_ context.Context, set receiver.Settings, cfg component.Config, next xconsumer.Profiles) (xreceiver.Profiles, error) {
	return i.add(set, cfg.(*Config), func(r *otlpReceiver) { r.profiles = next })
}
