package incidentexporter

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/quantivista/monitoring/exporters/incidentexporter/internal/metadata"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/alertmanager"
	"github.com/quantivista/monitoring/internal/hostext"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/maintenance"
)

// incidentExporter stores alerts and correlates them.
type incidentExporter struct {
	cfg       *Config
	rules     incident.Correlation
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder
	// queued is the way through queue and retry to consume.
	queued exporter.Metrics

	store      incident.Writer
	correlator *incident.Correlator
	expiry     *expiry
	stop       func() // ends what runs in the background and waits for it
}

func newIncidentExporter(ctx context.Context, cfg *Config, set exporter.Settings) (*incidentExporter, error) {
	rules, err := cfg.correlation()
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	e := &incidentExporter{
		cfg: cfg, rules: rules, logger: set.Logger, telemetry: telemetry, stop: func() {},
		expiry: newExpiry(cfg.ExpiryGrace, cfg.SweepInterval),
	}
	e.queued, err = exporterhelper.NewMetrics(ctx, set, cfg, e.consume,
		exporterhelper.WithCapabilities(e.Capabilities()),
		exporterhelper.WithTimeout(cfg.TimeoutConfig),
		exporterhelper.WithQueue(cfg.QueueConfig),
		exporterhelper.WithRetry(cfg.RetryConfig))
	return e, err
}

// Capabilities says that what comes in is left as it is.
func (*incidentExporter) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// stateStore is what the exporter needs of a sql_store extension.
type stateStore interface {
	incident.Store
	maintenance.Reader
}

// unreadable tells of a maintenance window that a newer release has stored.
func (e *incidentExporter) unreadable(w maintenance.Window, err error) {
	e.logger.Error("A maintenance window cannot be read, and mutes nothing", zap.String("window", w.ID), zap.String("name", w.Name), zap.Error(err))
}

// Start finds the store, and then takes what waits in the queue.
func (e *incidentExporter) Start(ctx context.Context, host component.Host) error {
	store, err := hostext.Find[stateStore](host, e.cfg.SQLStore)
	if err != nil {
		return fmt.Errorf("\"sql_store\": %w", err)
	}
	muting := []alert.Muting{maintenance.NewBoard(store, e.unreadable).Muting}
	if e.cfg.Alertmanager != (component.ID{}) {
		am, err := hostext.Find[alertmanager.Muter](host, e.cfg.Alertmanager)
		if err != nil {
			return fmt.Errorf("\"alertmanager\": %w", err)
		}
		muting = append(muting, alertmanager.MutingBy(am))
	}
	e.store, e.correlator = store, incident.NewCorrelator(store, e.rules, time.Now).WithMuting(alert.AnyMuting(muting...))
	background := []func(context.Context){e.sweep}
	if e.cfg.ServiceGraph.HasValue() {
		graph, err := newServiceGraph(e.cfg.ServiceGraph.Get(), host, e.logger, e.telemetry)
		if err != nil {
			return err
		}
		e.correlator = e.correlator.WithUpstream(incident.Upstream{Graph: graph.callees, MaxHops: e.cfg.ServiceGraph.Get().MaxHops})
		background = append(background, graph.run)
	}
	e.expiry.begin(time.Now())
	if err := e.queued.Start(ctx, host); err != nil {
		return err
	}
	running, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	for _, run := range background {
		done.Go(func() { run(running) })
	}
	e.stop = func() {
		cancel()
		done.Wait()
	}
	return nil
}

// Shutdown ends what runs in the background, then the queue. It may be called without Start.
func (e *incidentExporter) Shutdown(ctx context.Context) error {
	e.stop()
	defer e.telemetry.Shutdown()
	return e.queued.Shutdown(ctx)
}

// ConsumeMetrics queues alerts, or stores them at once where the context asks for a receipt: what has one is never
// queued, so that an alert which is refused is not stored later.
func (e *incidentExporter) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	receipt := alert.ReceiptOf(ctx)
	if receipt == nil {
		return e.queued.ConsumeMetrics(ctx, md)
	}
	if e.cfg.TimeoutConfig.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, e.cfg.TimeoutConfig.Timeout)
		defer cancel()
	}
	return e.storeNow(ctx, md, receipt)
}
