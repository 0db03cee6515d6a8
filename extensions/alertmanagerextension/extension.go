package alertmanagerextension

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/types"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.uber.org/zap/exp/zapslog"

	"github.com/quantivista/monitoring/extensions/alertmanagerextension/internal/embedded"
	"github.com/quantivista/monitoring/extensions/alertmanagerextension/internal/metadata"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/alertmanager"
	"github.com/quantivista/monitoring/internal/componenthealth"
	"github.com/quantivista/monitoring/internal/hostext"
	"github.com/quantivista/monitoring/internal/promtelemetry"
)

// drainPeriod is how long a shutdown lets notifications end that are being sent.
const drainPeriod = 3 * time.Second

// amExtension is the alertmanager extension.
type amExtension struct {
	cfg    *Config
	set    extension.Settings
	logger *slog.Logger

	// engine is nil before Start.
	engine  *embedded.Engine
	handler http.Handler
	// ready says that the engine routes: its first configuration is in force.
	ready     atomic.Bool
	reloader  *reloader
	keeper    *keeper // nil without a store
	telemetry *promtelemetry.Bridge

	stop       context.CancelFunc
	background sync.WaitGroup
}

var (
	_ extension.Extension             = (*amExtension)(nil)
	_ extensioncapabilities.Dependent = (*amExtension)(nil)
	_ alertmanager.Alertmanager       = (*amExtension)(nil)
)

func newExtension(cfg *Config, set extension.Settings) *amExtension {
	e := &amExtension{cfg: cfg, set: set, logger: slog.New(zapslog.NewHandler(set.Logger.Core()))}
	e.handler = e.routes()
	return e
}

// Dependencies has the store started first, and stopped last.
func (e *amExtension) Dependencies() []component.ID {
	if e.cfg.SQLStore == (component.ID{}) {
		return nil
	}
	return []component.ID{e.cfg.SQLStore}
}

// Start reads the configuration, and fails where it has a fault. Routing begins once the state of the last run is
// there, in the background where the store is away.
func (e *amExtension) Start(_ context.Context, host component.Host) (err error) {
	conf, err := e.cfg.load()
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	o, err := e.options(host, registry)
	if err != nil {
		return err
	}
	if e.engine, err = embedded.New(o); err != nil {
		return err
	}
	if e.telemetry, err = promtelemetry.New(e.set.MeterProvider.Meter(metadata.ScopeName), registry); err != nil {
		return errors.Join(err, e.engine.Close(context.Background()))
	}
	e.engine.Join()
	e.reloader = &reloader{cfg: e.cfg, engine: e.engine, logger: e.logger, health: componenthealth.NewReporter(host)}
	run, stop := context.WithCancel(context.Background())
	e.stop = stop
	if e.keeper == nil {
		e.logger.Warn("Silences and the notification log are in memory only, and firing alerts are forgotten at a restart: set \"sql_store\" to keep them")
		if err := e.begin(run, conf); err != nil {
			return errors.Join(err, e.Shutdown(context.Background()))
		}
		return nil
	}
	e.keeper.engine = e.engine
	return e.restore(run, conf)
}

// options finds the store, too.
func (e *amExtension) options(host component.Host, registry *prometheus.Registry) (*embedded.Options, error) {
	external, err := url.Parse(e.cfg.ExternalURL)
	if err != nil {
		return nil, fmt.Errorf("\"external_url\": %w", err)
	}
	o := &embedded.Options{
		ExternalURL: external, Retention: e.cfg.Retention, AlertGCInterval: e.cfg.AlertGCInterval, Logger: e.logger, Registry: registry,
		Limits: embedded.Limits{
			Alerts: e.cfg.Limits.Alerts, AlertsPerName: e.cfg.Limits.AlertsPerName, Groups: e.cfg.Limits.Groups,
			Silences: e.cfg.Limits.Silences, SilenceSizeBytes: e.cfg.Limits.SilenceSizeBytes, ConcurrentGets: e.cfg.Limits.ConcurrentRequests,
		},
	}
	if c := e.cfg.Cluster.Get(); c != nil {
		o.Cluster = (*embedded.Cluster)(c)
	}
	if e.cfg.SQLStore == (component.ID{}) {
		o.NotificationLog = func(inner notify.NotificationLog) notify.NotificationLog { return inner }
		o.SilenceChanged = func([]byte) {}
		o.Flushing = func(_ context.Context, alerts []*types.Alert) []*types.Alert { return alerts }
		o.Send = func(_ string, _ *notify.Integration, inner notify.Notifier) notify.Notifier { return inner }
		return o, nil
	}
	store, err := hostext.Find[stateStore](host, e.cfg.SQLStore)
	if err != nil {
		return nil, fmt.Errorf("\"sql_store\": %w", err)
	}
	e.keeper = newKeeper(store, e.cfg, e.logger, e.set.TracerProvider.Tracer(metadata.ScopeName))
	o.NotificationLog, o.SilenceChanged, o.Send, o.Flushing = e.keeper.notificationLog, e.keeper.silenceChanged, e.keeper.send, e.keeper.flushing
	return o, nil
}

// begin puts the first configuration into force and watches for others.
func (e *amExtension) begin(run context.Context, conf *embedded.Configuration) error {
	if err := e.reloader.begin(run, conf); err != nil {
		return err
	}
	e.ready.Store(true)
	e.background.Go(func() { e.reloader.watch(run) })
	return nil
}

// Shutdown lets notifications that are being sent end, for 3 seconds at most. It may be called without Start, and
// twice.
func (e *amExtension) Shutdown(ctx context.Context) error {
	if e.stop == nil {
		return nil
	}
	e.ready.Store(false)
	e.stop()
	e.background.Wait()
	draining, cancel := context.WithTimeout(ctx, drainPeriod)
	defer cancel()
	if err := e.engine.Close(draining); err != nil {
		e.logger.Warn("A notification was still being sent at the shutdown: it is sent again after the next start", "err", err)
	}
	if e.keeper != nil {
		e.keeper.traceDue(draining, time.Now())
		if err := e.keeper.flush(draining); err != nil {
			e.logger.Warn("Notifications could not be stored before the shutdown: they are sent again after the next start", "err", err)
		}
	}
	e.stop = nil
	return e.telemetry.Close()
}

// Put implements alertmanager.Sink.
func (e *amExtension) Put(ctx context.Context, alerts ...alert.Alert) error {
	if !e.ready.Load() {
		return alertmanager.ErrNotReady
	}
	return e.engine.Put(ctx, alerts...)
}

// Muted implements alertmanager.Muter.
func (e *amExtension) Muted(ctx context.Context, labels map[string]string) (alertmanager.Muting, error) {
	if !e.ready.Load() {
		return alertmanager.Muting{}, alertmanager.ErrNotReady
	}
	return e.engine.Muted(ctx, labels)
}

// Status implements alertmanager.Alertmanager.
func (e *amExtension) Status() alertmanager.Status {
	if e.reloader == nil {
		return alertmanager.Status{}
	}
	s := e.reloader.status()
	s.Ready, s.Receivers = e.ready.Load(), e.engine.Receivers()
	return s
}

// Handler implements alertmanager.Alertmanager.
func (e *amExtension) Handler() http.Handler { return e.handler }
