package embedded

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/api"
	"github.com/prometheus/alertmanager/cluster"
	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/config/receiver"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/nflog/nflogpb"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/notify/email"
	"github.com/prometheus/alertmanager/notify/webhook"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/alertmanager/timeinterval"
	"github.com/prometheus/alertmanager/types"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/common/route"
)

// initCompat sets variables of a package of Alertmanager that hold for the whole process, so that label names may be
// UTF-8. It must come before a configuration is parsed.
var initCompat = sync.OnceFunc(func() {
	compat.InitFromFlags(promslog.NewNopLogger(), featurecontrol.NoopFlags{})
})

// parse reads an alertmanager.yml.
func parse(text string) (*config.Config, error) {
	initCompat()
	return config.Load(text)
}

// parseFile reads an alertmanager.yml whose relative paths begin at its folder. The text is read once more by the
// library, which resolves paths in no other way.
func parseFile(path string) (*config.Config, error) {
	initCompat()
	return config.LoadFile(path)
}

func newSilences(o *Options) (*silence.Silences, error) {
	return silence.New(silence.Options{
		Retention: o.Retention,
		Limits: silence.Limits{
			MaxSilences:         func() int { return o.Limits.Silences },
			MaxSilenceSizeBytes: func() int { return o.Limits.SilenceSizeBytes },
		},
		Logger:  o.Logger.With("component", "silences"),
		Metrics: o.Registry,
	})
}

func newNotificationLog(o *Options) (*nflog.Log, error) {
	return nflog.New(nflog.Options{Retention: o.Retention, Logger: o.Logger.With("component", "nflog"), Metrics: o.Registry})
}

func newMarker(o *Options) *types.MemMarker { return types.NewMarker(o.Registry) }

func newAlerts(o *Options, marker types.AlertMarker, callback mem.AlertStoreCallback) (*mem.Alerts, error) {
	return mem.NewAlerts(context.Background(), marker, o.AlertGCInterval, o.Limits.AlertsPerName, callback, o.Logger, o.Registry, featurecontrol.NoopFlags{})
}

func newPeer(o *Options) (*cluster.Peer, error) {
	c := o.Cluster
	transport, err := cluster.GetTLSTransportConfig(c.TLSConfigFile)
	if err != nil {
		return nil, err
	}
	// Peers that cannot be resolved yet are looked up again every 15 seconds: the start does not wait for them.
	const waitForPeers = false
	return cluster.Create(o.Logger.With("component", "cluster"), o.Registry, c.ListenAddress, c.AdvertiseAddress, c.Peers, waitForPeers,
		c.PushPullInterval, c.GossipInterval, cluster.DefaultTCPTimeout, cluster.DefaultResolvePeersTimeout, cluster.DefaultProbeTimeout,
		cluster.DefaultProbeInterval, transport, false, c.Label, c.PeerName)
}

func newTemplate(o *Options, conf *config.Config) (*template.Template, error) {
	t, err := template.FromGlobs(conf.Templates)
	if err != nil {
		return nil, err
	}
	t.ExternalURL = o.ExternalURL
	return t, nil
}

func newIntegrations(rcv config.Receiver, t *template.Template, logger *slog.Logger) ([]notify.Integration, error) {
	return receiver.BuildReceiverIntegrations(rcv, t, logger)
}

// newIntegration is what the library makes of an integration, with another way to send.
func newIntegration(i *notify.Integration, send notify.Notifier, receiver string) notify.Integration {
	return notify.NewIntegration(send, i, i.Name(), i.Index(), receiver)
}

func newWebhook(c *config.WebhookConfig, t *template.Template, logger *slog.Logger) (notify.Notifier, error) {
	return webhook.New(c, t, logger.With("integration", "webhook"))
}

func newEmail(c *config.EmailConfig, t *template.Template, logger *slog.Logger) notify.Notifier {
	return email.New(c, t, logger.With("integration", "email"))
}

// newDedup answers by one entry of the notification log whether a group needs to be notified.
func newDedup(rs notify.ResolvedSender, log notify.NotificationLog, to *nflogpb.Receiver) notify.Stage {
	return notify.NewDedupStage(rs, log, to)
}

func newPipelineBuilder(o *Options) *notify.PipelineBuilder {
	return notify.NewPipelineBuilder(o.Registry, featurecontrol.NoopFlags{})
}

func newDispatcherMetrics(o *Options) *dispatch.DispatcherMetrics {
	return dispatch.NewDispatcherMetrics(true, o.Registry)
}

func newRoutes(conf *config.Config) *dispatch.Route { return dispatch.NewRoute(conf.Route, nil) }

func newIntervener(conf *config.Config) *timeinterval.Intervener {
	named := make(map[string][]timeinterval.TimeInterval, len(conf.MuteTimeIntervals)+len(conf.TimeIntervals))
	for _, ti := range conf.MuteTimeIntervals {
		named[ti.Name] = ti.TimeIntervals
	}
	for _, ti := range conf.TimeIntervals {
		named[ti.Name] = ti.TimeIntervals
	}
	return timeinterval.NewIntervener(named)
}

func newSilencer(e *Engine) *silence.Silencer {
	return silence.NewSilencer(e.silences, e.marker, e.o.Logger.With("component", "silencer"))
}

func newInhibitor(e *Engine, conf *config.Config) *inhibit.Inhibitor {
	return inhibit.NewInhibitor(e.alerts, conf.InhibitRules, e.marker, e.o.Logger.With("component", "inhibitor"))
}

func newPipeline(e *Engine, receivers map[string][]notify.Integration, c *current) notify.Stage {
	// An interface that holds a nil pointer is not nil, which the library takes for a peer.
	var peer notify.Peer
	if e.peer != nil {
		peer = e.peer
	}
	return e.pipelines.New(receivers, e.clusterWait, c.inhibitor, c.silencer, c.intervener, e.marker, e.o.NotificationLog(e.notifications), peer)
}

func newDispatcher(e *Engine, routes *dispatch.Route, stage notify.Stage) *dispatch.Dispatcher {
	timeout := func(d time.Duration) time.Duration { return max(d, notify.MinTimeout) + e.clusterWait() }
	return dispatch.NewDispatcher(e.alerts, routes, stage, e.marker, timeout, dispatchMaintenanceInterval, e, e.o.Logger, e.dispatcherMetrics)
}

func newAPI(e *Engine) (*api.API, error) {
	// Without it every request panics.
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "alertmanager_http_request_duration_seconds",
		Help:    "Histogram of latencies for HTTP requests.",
		Buckets: prometheus.DefBuckets,
	}, []string{"handler", "method", "code"})
	if err := e.o.Registry.Register(duration); err != nil {
		return nil, err
	}
	var peer cluster.ClusterPeer
	if e.peer != nil {
		peer = e.peer
	}
	return api.New(api.Options{
		Alerts: e.alerts, Silences: e.silences, AlertStatusFunc: e.marker.Status, GroupMutedFunc: e.marker.Muted, GroupFunc: e.groups,
		Peer: peer, Concurrency: e.o.Limits.ConcurrentGets, Logger: e.o.Logger.With("component", "api"),
		Registry: e.o.Registry, RequestDuration: duration,
	})
}

// apiHandler serves /api/v2/ from the root.
func apiHandler(a *api.API) http.Handler { return a.Register(route.New(), "/") }
