package alertmanagerexporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"go.uber.org/zap/exp/zapslog"

	"github.com/quantivista/monitoring/exporters/alertmanagerexporter/internal/metadata"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/alertmanager"
	"github.com/quantivista/monitoring/internal/hostext"
	"github.com/quantivista/monitoring/internal/promnotifier"
	"github.com/quantivista/monitoring/internal/promtelemetry"
)

// alertmanagerExporter hands alerts over.
type alertmanagerExporter struct {
	cfg       *Config
	set       exporter.Settings
	telemetry *metadata.TelemetryBuilder

	embedded alertmanager.Sink      // nil for none
	external *promnotifier.Notifier // nil for none
	bridge   *promtelemetry.Bridge  // of the external ones
}

func newAlertmanagerExporter(cfg *Config, set exporter.Settings) (*alertmanagerExporter, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &alertmanagerExporter{cfg: cfg, set: set, telemetry: telemetry}, nil
}

func (e *alertmanagerExporter) start(_ context.Context, host component.Host) (err error) {
	if e.cfg.Alertmanager != (component.ID{}) {
		if e.embedded, err = hostext.Find[alertmanager.Sink](host, e.cfg.Alertmanager); err != nil {
			return fmt.Errorf("\"alertmanager\": %w", err)
		}
	}
	external, err := e.cfg.external()
	if err != nil || external.Empty() {
		return err
	}
	registry := prometheus.NewRegistry()
	if e.external, err = promnotifier.Start(external, nil, registry, slog.New(zapslog.NewHandler(e.set.Logger.Core()))); err != nil {
		return err
	}
	e.bridge, err = promtelemetry.New(e.set.MeterProvider.Meter(metadata.ScopeName), registry)
	return err
}

func (e *alertmanagerExporter) shutdown(ctx context.Context) error {
	defer e.telemetry.Shutdown()
	err := e.external.Stop(ctx)
	e.external = nil
	if e.bridge != nil {
		err = errors.Join(err, e.bridge.Close())
		e.bridge = nil
	}
	return err
}

// consume hands over all alerts of md. Its error is permanent where no alert can be taken, and retryable where the
// extension did not take them for now: external Alertmanagers, which must not wait for that, may get a report twice.
func (e *alertmanagerExporter) consume(ctx context.Context, md pmetric.Metrics) error {
	alerts, malformed := alert.Decode(md)
	e.refuse(ctx, "malformed", malformed)
	e.external.Send(toExternal(alerts)...)
	refused := 0
	if e.embedded != nil && len(alerts) > 0 {
		err := e.embedded.Put(ctx, alerts...)
		if err != nil && !errors.Is(err, alertmanager.ErrInvalid) {
			return fmt.Errorf("hand over alerts: %w", err)
		}
		refused = e.refuse(ctx, "refused", err)
	}
	e.count(ctx, alerts)
	if malformed != nil && len(alerts) == 0 || refused > 0 && refused == len(alerts) {
		return consumererror.NewPermanent(errors.New("no alert could be taken: the log says why of each"))
	}
	return nil
}

// refuse counts and logs the faults that err joins.
func (e *alertmanagerExporter) refuse(ctx context.Context, reason string, err error) int {
	if err == nil {
		return 0
	}
	n := 1
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		n = len(joined.Unwrap())
	}
	e.telemetry.ExporterAlertmanagerRefusedAlerts.Add(ctx, int64(n), one("reason", reason))
	e.set.Logger.Warn("Alerts were refused", zap.String("reason", reason), zap.Error(err))
	return n
}

func (e *alertmanagerExporter) count(ctx context.Context, alerts []alert.Alert) {
	n := map[alert.Status]int64{}
	for i := range alerts {
		n[alerts[i].Status]++
	}
	for status, count := range n {
		e.telemetry.ExporterAlertmanagerAlerts.Add(ctx, count, one("status", string(status)))
	}
}

func one(key, value string) metric.AddOption {
	return metric.WithAttributeSet(attribute.NewSet(attribute.String(key, value)))
}
