package metricstoreextension

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/util/features"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.uber.org/zap/exp/zapslog"

	"github.com/quantivista/monitoring/extensions/metricstoreextension/internal/metadata"
	"github.com/quantivista/monitoring/internal/componenthealth"
	"github.com/quantivista/monitoring/internal/metricstore"
	"github.com/quantivista/monitoring/internal/promtelemetry"
)

// closeTimeout is how long Shutdown waits for queries that do not notice that they are aborted. The rest of 10
// seconds is for receivers, and for the API's requests.
const closeTimeout = 3 * time.Second

// errReplaying tells that Shutdown came while the TSDB was being opened again.
var errReplaying = errors.New("the TSDB was replaying its write-ahead log, and did not end in time (the log has every sample)")

// embeddedStore keeps metrics in a Prometheus TSDB of its own.
type embeddedStore struct {
	cfg       *Config
	set       extension.Settings
	logger    *slog.Logger
	families  *familyMetadata
	startTime time.Time

	engine         *promql.Engine
	tracker        queryTracker
	features       features.Collector
	engineRegistry *prometheus.Registry
	// api takes the metrics of the first PrometheusAPI that is asked for; see apiRegisterer.
	apiRegistry *prometheus.Registry
	apiOnce     sync.Once

	space          diskSpace
	superviseEvery time.Duration

	// current is nil before Start, after Shutdown, and while the disk does not let the TSDB be open.
	current  atomic.Pointer[database]
	openings atomic.Uint64
	running  *running
}

// running is what Start begins and Shutdown ends.
type running struct {
	restoreGC  func()
	telemetry  *promtelemetry.Bridge
	supervisor *supervisor
	stop       context.CancelFunc
	done       chan struct{}
}

var (
	_ extension.Extension = (*embeddedStore)(nil)
	_ metricstore.Store   = (*embeddedStore)(nil)
	_ prometheus.Gatherer = (*embeddedStore)(nil)
)

func newEmbeddedStore(cfg *Config, set extension.Settings) *embeddedStore {
	logger := slog.New(zapslog.NewHandler(set.Logger.Core()))
	registry := prometheus.NewRegistry()
	can := features.NewRegistry()
	tracker := newQueryTracker(cfg.Query.MaxConcurrency)
	return &embeddedStore{
		cfg:            cfg,
		set:            set,
		logger:         logger,
		families:       newFamilyMetadata(),
		startTime:      time.Now(),
		engine:         newEngine(cfg.Query, logger, registry, tracker, can),
		tracker:        tracker,
		features:       can,
		engineRegistry: registry,
		apiRegistry:    prometheus.NewRegistry(),
		space:          systemDiskSpace,
		superviseEvery: superviseEvery,
	}
}

// Start opens the TSDB, replaying its write-ahead log, and fails where another process holds the directory.
func (s *embeddedStore) Start(_ context.Context, host component.Host) (err error) {
	if err := checkWritable(s.cfg.Directory); err != nil {
		return err
	}
	// Before the replay of the write-ahead log, which gathers much garbage.
	restoreGC := setGCPercent(s.cfg.GCPercent)
	defer func() {
		if err != nil {
			restoreGC()
		}
	}()
	d, err := openDatabase(s.tsdbOptions(), s.cfg.Directory, s.openings.Add(1), s.logger)
	if err != nil {
		return err
	}
	s.current.Store(d)
	telemetry, err := promtelemetry.New(s.set.MeterProvider.Meter(metadata.ScopeName), s)
	if err != nil {
		s.current.Store(nil)
		return errors.Join(err, d.tsdb.Close())
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &running{
		restoreGC:  restoreGC,
		telemetry:  telemetry,
		supervisor: &supervisor{store: s, health: componenthealth.NewReporter(host)},
		stop:       stop,
		done:       make(chan struct{}),
	}
	r.supervisor.health.Report(nil)
	go func() {
		defer close(r.done)
		r.supervisor.run(ctx)
	}()
	s.running = r
	return nil
}

// Shutdown aborts the queries that run and closes the TSDB. It may be called without Start, and twice.
func (s *embeddedStore) Shutdown(ctx context.Context) error {
	r := s.running
	if r == nil {
		return nil
	}
	s.running = nil
	r.restoreGC()
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()

	r.stop()
	err := r.telemetry.Close()
	select {
	case <-r.done:
	case <-ctx.Done():
		return errors.Join(err, errReplaying)
	}
	for _, d := range []*database{s.current.Swap(nil), r.supervisor.closing} {
		if d != nil {
			err = errors.Join(err, s.leave(ctx, d))
		}
	}
	return errors.Join(err, s.engine.Close())
}

// leave closes a database, or lets it be: that a query was too long is no fault of the shutdown, and loses nothing.
func (s *embeddedStore) leave(ctx context.Context, d *database) error {
	err := d.close(ctx)
	if errors.Is(err, errInUse) {
		s.logger.Warn("Shutting down without closing the TSDB", "reason", err)
		return nil
	}
	return err
}

// Gather gives the metrics of the TSDB, the engine and the API.
func (s *embeddedStore) Gather() ([]*dto.MetricFamily, error) {
	gatherers := prometheus.Gatherers{s.engineRegistry, s.apiRegistry}
	if d := s.current.Load(); d != nil {
		gatherers = append(gatherers, d.registry)
	}
	return gatherers.Gather()
}
