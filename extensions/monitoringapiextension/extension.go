package monitoringapiextension

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	apiv1 "github.com/prometheus/prometheus/web/api/v1"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/quantivista/monitoring/extensions/monitoringapiextension/internal/metadata"
	"github.com/quantivista/monitoring/internal/evidence"
	"github.com/quantivista/monitoring/internal/hostext"
	"github.com/quantivista/monitoring/internal/logs"
	"github.com/quantivista/monitoring/internal/metricstore"
	"github.com/quantivista/monitoring/internal/problem"
	"github.com/quantivista/monitoring/internal/scrapetargets"
	"github.com/quantivista/monitoring/internal/servicehealth"
)

const (
	// gracePeriod is how long a shutdown lets requests run before it cancels them.
	gracePeriod = 3 * time.Second
	// cancelPeriod is how long it then lets them answer before it cuts their connections.
	cancelPeriod = time.Second
)

// monitoringAPI is the monitoring_api extension.
type monitoringAPI struct {
	cfg *Config
	set extension.Settings
	// telemetry counts; it is made at the start.
	telemetry *metadata.TelemetryBuilder

	custom attachment[CustomMetricsHandler]
	alerts attachment[AlertsHandler]
	rules  attachedRules
	// piped tells whether the pipelines run.
	piped atomic.Bool
	// grace is gracePeriod, but in tests.
	grace time.Duration

	// loops judge services and collect evidence, where a database keeps what they find; stopLoops ends them.
	loops     sync.WaitGroup
	stopLoops context.CancelFunc

	// jaeger is the connection to Jaeger; nil for none.
	jaeger *grpc.ClientConn
	// loki is the client of Loki; nil for none.
	loki *logs.Loki

	server *http.Server
	served sync.WaitGroup
	// cancel ends the contexts of all requests.
	cancel context.CancelCauseFunc
	addr   net.Addr
}

var (
	_ extension.Extension                   = (*monitoringAPI)(nil)
	_ extensioncapabilities.Dependent       = (*monitoringAPI)(nil)
	_ extensioncapabilities.PipelineWatcher = (*monitoringAPI)(nil)
	_ CustomMetricsAPI                      = (*monitoringAPI)(nil)
	_ AlertsAPI                             = (*monitoringAPI)(nil)
	_ RulesAPI                              = (*monitoringAPI)(nil)
)

func newExtension(cfg *Config, set extension.Settings) *monitoringAPI {
	return &monitoringAPI{cfg: cfg, set: set, grace: gracePeriod}
}

// Dependencies has what is asked started first, and stopped last.
func (m *monitoringAPI) Dependencies() []component.ID {
	needed := []component.ID{m.cfg.MetricStore}
	for _, id := range []component.ID{m.cfg.SQLStore, m.cfg.Alertmanager} {
		if id != (component.ID{}) {
			needed = append(needed, id)
		}
	}
	return needed
}

// Ready is called when the pipelines run.
func (m *monitoringAPI) Ready() error {
	m.piped.Store(true)
	return nil
}

// NotReady is called before the pipelines stop.
func (m *monitoringAPI) NotReady() error {
	m.piped.Store(false)
	return nil
}

// ServeRules implements RulesAPI.
func (m *monitoringAPI) ServeRules(owner component.ID, retriever apiv1.RulesRetriever) (detach func(), err error) {
	return m.rules.attach(owner, retriever)
}

// Start listens. A failure after that is reported as a fatal status.
func (m *monitoringAPI) Start(ctx context.Context, host component.Host) error {
	store, err := hostext.Find[metricstore.Store](host, m.cfg.MetricStore)
	if err != nil {
		return fmt.Errorf("\"metric_store\": %w", err)
	}
	kept, err := findState(host, m.cfg.SQLStore)
	if err != nil {
		return err
	}
	if m.telemetry, err = metadata.NewTelemetryBuilder(m.set.TelemetrySettings); err != nil {
		return err
	}
	notifier, err := findAlertmanager(host, m.cfg.Alertmanager)
	if err != nil {
		return err
	}
	jaeger, err := m.connectJaeger(ctx, host)
	if err != nil {
		return err
	}
	links, err := evidence.ParseLinks(evidence.LinkTemplates(m.cfg.Evidence.Links))
	if err != nil {
		return fmt.Errorf("\"evidence::links\": %w", err)
	}
	loki, err := m.connectLoki(ctx, host)
	if err != nil {
		return err
	}
	sources, err := m.sources(ctx, host)
	if err != nil {
		return err
	}
	assessor := servicehealth.NewAssessor(vectorQuery(store), m.cfg.Health.rules(), time.Now)
	rest := &restServer{
		store:        store,
		state:        kept,
		alertmanager: notifier,
		traces:       jaeger,
		logs:         loki,
		targets:      scrapetargets.NewReader(sources...),
		health:       assessor,
		custom:       &m.custom,
		alerts:       &m.alerts,
		rules:        &m.rules,
		links:        links,
		ready:        m.piped.Load,
		now:          time.Now,
		logger:       m.set.Logger,
	}
	var monitor *servicehealth.Monitor
	if kept != nil {
		monitor = servicehealth.NewMonitor(assessor, kept, kept, m.cfg.Health.settings(), logChanges(m.set.Logger))
		rest.health = monitor
	}
	handler, err := newHandler(rest)
	if err != nil {
		return err
	}
	server, err := m.cfg.ToServer(ctx, host.GetExtensions(), m.set.TelemetrySettings, handler,
		confighttp.WithDecoder("snappy", keepSnappy),
		confighttp.WithErrorHandler(func(w http.ResponseWriter, r *http.Request, message string, status int) {
			rest.fail(w, r, problem.New(status, "%s", message))
		}))
	if err != nil {
		return err
	}
	listener, err := m.cfg.ToListener(ctx)
	if err != nil {
		return fmt.Errorf("\"endpoint\" %s cannot be listened on: %w", m.cfg.NetAddr.Endpoint, err)
	}
	m.serve(host, server, listener)
	m.run(monitor, m.keeper(store, kept, jaeger, loki))
	return nil
}

// run runs the loops that there are.
func (m *monitoringAPI) run(monitor *servicehealth.Monitor, keeper *evidence.Keeper) {
	ctx, cancel := context.WithCancel(context.Background())
	m.stopLoops = cancel
	if monitor != nil {
		m.loops.Go(func() { monitor.Run(ctx) })
	}
	if keeper != nil {
		m.loops.Go(func() { keeper.Run(ctx) })
	}
}

// sources makes a client for each prometheus receiver.
func (m *monitoringAPI) sources(ctx context.Context, host component.Host) ([]scrapetargets.Source, error) {
	sources := make([]scrapetargets.Source, len(m.cfg.ScrapeAPI))
	for i := range m.cfg.ScrapeAPI {
		cfg := &m.cfg.ScrapeAPI[i]
		client, err := cfg.ToClient(ctx, host.GetExtensions(), m.set.TelemetrySettings)
		if err != nil {
			return nil, fmt.Errorf("\"scrape_api::%d\": %w", i, err)
		}
		sources[i] = scrapetargets.Source{URL: cfg.Endpoint, Client: client}
	}
	return sources, nil
}

func (m *monitoringAPI) serve(host component.Host, server *http.Server, listener net.Listener) {
	base, cancel := context.WithCancelCause(context.Background())
	server.BaseContext = func(net.Listener) context.Context { return base }
	m.server, m.cancel, m.addr = server, cancel, listener.Addr()
	m.set.Logger.Info("Serving the monitoring API", zap.Stringer("endpoint", m.addr))
	m.served.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
}

// Shutdown stops listening and lets requests end: gracefully at first, then by canceling them, then by cutting
// their connections. It takes 4 seconds at most, or until ctx ends. It may be called without Start, and twice.
func (m *monitoringAPI) Shutdown(ctx context.Context) error {
	defer m.disconnectJaeger()
	defer m.disconnectLoki()
	if m.server == nil {
		return nil
	}
	if m.stopLoops != nil {
		m.stopLoops()
		defer m.loops.Wait()
	}
	defer m.served.Wait()
	defer m.cancel(errShuttingDown)
	if m.drain(ctx, m.grace) == nil {
		return nil
	}
	m.set.Logger.Warn("Requests still run: canceling them", zap.Duration("after", m.grace))
	m.cancel(errShuttingDown)
	if m.drain(ctx, cancelPeriod) == nil {
		return nil
	}
	return m.server.Close()
}

// drain waits for the requests that run.
func (m *monitoringAPI) drain(ctx context.Context, atMost time.Duration) error {
	ctx, stop := context.WithTimeout(ctx, atMost)
	defer stop()
	return m.server.Shutdown(ctx)
}
