package promapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/grafana/regexp"
	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/route"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/features"
	"github.com/prometheus/prometheus/util/notifications"
	apiv1 "github.com/prometheus/prometheus/web/api/v1"
)

// Prefix of every path that the API serves.
const Prefix = "/api/v1"

// Prometheus' defaults of --storage.remote.read-*.
const (
	readConcurrency     = 10
	readMaxBytesInFrame = 1 << 20
)

// Options are what the API serves. Engine, Storage, Appendable, Exemplars, TSDB, Metadata, Logger and Ready
// must be set.
type Options struct {
	Engine     promql.QueryEngine
	Storage    storage.SampleAndChunkQueryable
	Exemplars  storage.ExemplarQueryable
	Appendable storage.Appendable // of the remote write receiver
	TSDB       apiv1.TSDBAdminStats
	Metadata   Metadata

	// Targets serves /targets, /targets/metadata and /scrape_pools. Nil is a Prometheus that scrapes nothing.
	Targets http.Handler
	// Rules gives the rule groups. Nil is a Prometheus without rules.
	Rules func(context.Context) apiv1.RulesRetriever

	// Ready says whether the store can be asked; every request is answered with 503 while it cannot.
	Ready func() bool
	// Flags are shown by /status/flags, by Prometheus' names of its command line flags.
	Flags map[string]string
	// Directory, StartTime and Retention (as Prometheus writes it, such as "15d or 50GiB") are shown by
	// /status/runtimeinfo.
	Directory string
	StartTime time.Time
	Retention string

	// ReadSampleLimit is how many samples a remote read of samples (not of chunks) may answer with.
	ReadSampleLimit int
	LookbackDelta   time.Duration

	Logger *slog.Logger
	// Gatherer gives the TSDB's metrics, some of which /status/tsdb and /status/runtimeinfo show.
	Gatherer prometheus.Gatherer
	// Registerer takes the metrics of the remote read and write handlers. Nil registers none.
	Registerer prometheus.Registerer
	// Features are what the engine and the TSDB can do; the API adds its own for /features.
	Features features.Collector
}

// Metadata of metric families, by their Prometheus name.
type Metadata interface {
	scrape.MetricMetadataStore
	// SetMetadata takes what a remote write sender tells of a family.
	SetMetadata(family string, m metadata.Metadata)
}

// New gives a handler of all paths under Prefix. Admin endpoints and the OTLP receiver are switched off, and
// answer as a Prometheus that runs without the flags for them.
func New(o Options) (http.Handler, error) {
	if o.Engine == nil || o.Storage == nil || o.Exemplars == nil || o.Appendable == nil || o.TSDB == nil ||
		o.Metadata == nil || o.Logger == nil || o.Ready == nil {
		return nil, errors.New("promapi: a required option is missing")
	}
	if o.Features != nil {
		enableFeatures(o.Features)
	}
	return newHandler(newRouter(o, newRetrievers(o), true), o), nil
}

// NewRules gives a handler of /rules and /alerts alone, for stores that another process answers for.
func NewRules(rules func(context.Context) apiv1.RulesRetriever, logger *slog.Logger) http.Handler {
	o := Options{Rules: rules, Logger: logger, Ready: func() bool { return true }}
	return newHandler(newRouter(o, retrievers{rulesOf: rules}, false), o)
}

// newRouter is the one call of Prometheus' constructor. Without takesWrites there is no remote write receiver.
func newRouter(o Options, r retrievers, takesWrites bool) *route.Router {
	// What the web UI shows; nobody may subscribe to it.
	noNotifications := notifications.NewNotifications(0, nil)
	api := apiv1.NewAPI(
		o.Engine,
		o.Storage,
		batches{o.Appendable},
		o.Exemplars,
		func(context.Context) apiv1.ScrapePoolsRetriever { return noTargets{} },
		r.targets,
		func(context.Context) apiv1.AlertmanagerRetriever { return noAlertmanagers{} },
		func() config.Config { return config.DefaultConfig },
		o.Flags,
		apiv1.GlobalURLOptions{},
		readyGate(o.Ready),
		o.TSDB,
		o.Directory,
		false, // admin API
		o.Logger,
		r.rules,
		o.ReadSampleLimit,
		readConcurrency,
		readMaxBytesInFrame,
		false,                    // agent mode
		regexp.MustCompile("^$"), // CORS is the listener's matter
		runtimeInfo(o),
		buildInfo(),
		noNotifications.Get,
		noNotifications.Sub,
		o.Gatherer,
		o.Registerer,
		nil, // statistics renderer: the default
		takesWrites,
		remoteapi.MessageTypes{remoteapi.WriteV1MessageType, remoteapi.WriteV2MessageType},
		false, false, false, // OTLP receiver, and its two ways with deltas
		false, // zero samples at start timestamps
		o.LookbackDelta,
		false, // labels for type and unit
		true,  // metadata of remote write 2.0
		nil,   // error codes: the default
		o.Features,
	)
	router := route.New()
	api.Register(router)
	return router
}
