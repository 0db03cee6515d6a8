package metricstoreextension

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/compression"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/extension"
	"go.uber.org/zap/exp/zapslog"

	"github.com/quantivista/monitoring/extensions/metricstoreextension/internal/metadata"
	"github.com/quantivista/monitoring/internal/metricstore"
	"github.com/quantivista/monitoring/internal/promtelemetry"
)

// embeddedStore keeps metrics in a Prometheus TSDB of its own.
type embeddedStore struct {
	cfg      *Config
	set      extension.Settings
	logger   *slog.Logger
	families *familyMetadata

	// startTime is when the extension was made.
	startTime time.Time

	// open is nil before Start and after Shutdown.
	open atomic.Pointer[openStore]
}

// openStore is what exists while the TSDB is open.
type openStore struct {
	db        *tsdb.DB
	engine    *promql.Engine
	tracker   *promql.ActiveQueryTracker
	registry  *prometheus.Registry
	telemetry *promtelemetry.Bridge
}

var (
	_ extension.Extension = (*embeddedStore)(nil)
	_ metricstore.Store   = (*embeddedStore)(nil)
)

func newEmbeddedStore(cfg *Config, set extension.Settings) *embeddedStore {
	return &embeddedStore{
		cfg:       cfg,
		set:       set,
		logger:    slog.New(zapslog.NewHandler(set.Logger.Core())),
		families:  newFamilyMetadata(),
		startTime: time.Now(),
	}
}

// Start opens the TSDB, replaying its write-ahead log, and fails where another process holds the directory.
func (s *embeddedStore) Start(_ context.Context, host component.Host) error {
	if err := checkWritable(s.cfg.Directory); err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	db, err := tsdb.Open(s.cfg.Directory, s.logger, registry, tsdbOptions(s.cfg), nil)
	if err != nil {
		return openError(s.cfg.Directory, err)
	}
	tracker := promql.NewActiveQueryTracker(s.cfg.Directory, s.cfg.Query.MaxConcurrency, s.logger)
	telemetry, err := promtelemetry.New(s.set.MeterProvider.Meter(metadata.ScopeName), registry)
	if err != nil {
		return errors.Join(err, tracker.Close(), db.Close())
	}
	s.open.Store(&openStore{
		db:        db,
		engine:    newEngine(s.cfg.Query, s.logger, registry, tracker),
		tracker:   tracker,
		registry:  registry,
		telemetry: telemetry,
	})
	componentstatus.ReportStatus(host, componentstatus.NewEvent(componentstatus.StatusOK))
	return nil
}

// Shutdown closes the TSDB after the queries that run. It may be called without Start, and twice.
func (s *embeddedStore) Shutdown(context.Context) error {
	o := s.open.Swap(nil)
	if o == nil {
		return nil
	}
	return errors.Join(o.telemetry.Close(), o.engine.Close(), o.db.Close())
}

// opened gives the open TSDB, or ErrUnavailable.
func (s *embeddedStore) opened() (*openStore, error) {
	if o := s.open.Load(); o != nil {
		return o, nil
	}
	return nil, metricstore.ErrUnavailable
}

// Appender gives a batch of writes to the TSDB, within the time bounds of boundedAppender.
func (s *embeddedStore) Appender(ctx context.Context) storage.Appender {
	o, err := s.opened()
	if err != nil {
		return failingAppender{err}
	}
	return newBoundedAppender(o.db.Appender(ctx), time.Now(), time.Duration(s.cfg.Retention.Time))
}

// Querier gives the samples between two times in milliseconds.
func (s *embeddedStore) Querier(mint, maxt int64) (storage.Querier, error) {
	o, err := s.opened()
	if err != nil {
		return nil, err
	}
	return o.db.Querier(mint, maxt)
}

// ChunkQuerier gives the chunks between two times in milliseconds, as remote read streams them.
func (s *embeddedStore) ChunkQuerier(mint, maxt int64) (storage.ChunkQuerier, error) {
	o, err := s.opened()
	if err != nil {
		return nil, err
	}
	return o.db.ChunkQuerier(mint, maxt)
}

// ExemplarQuerier gives the exemplars in memory.
func (s *embeddedStore) ExemplarQuerier(ctx context.Context) (storage.ExemplarQuerier, error) {
	o, err := s.opened()
	if err != nil {
		return nil, err
	}
	return o.db.ExemplarQuerier(ctx)
}

func tsdbOptions(c *Config) *tsdb.Options {
	o := tsdb.DefaultOptions()
	o.RetentionDuration = time.Duration(c.Retention.Time).Milliseconds()
	o.MaxBytes = int64(c.Retention.Size)
	o.OutOfOrderTimeWindow = time.Duration(c.OutOfOrderTimeWindow).Milliseconds()
	o.MaxBlockDuration = maxBlockDuration(c).Milliseconds()
	o.EnableExemplarStorage = c.MaxExemplars > 0
	o.MaxExemplars = c.MaxExemplars
	if c.WALCompression != "none" {
		o.WALCompression = compression.Type(c.WALCompression)
	}
	return o
}

// maxBlockDuration follows Prometheus: a tenth of the retention, between one block and 31 days.
func maxBlockDuration(c *Config) time.Duration {
	if c.MaxBlockDuration > 0 {
		return time.Duration(c.MaxBlockDuration)
	}
	const longest = 31 * 24 * time.Hour
	smallest := time.Duration(tsdb.DefaultBlockDuration) * time.Millisecond
	if c.Retention.Time == 0 {
		return longest
	}
	return min(max(time.Duration(c.Retention.Time)/10, smallest), longest)
}

// checkWritable makes the directory and tries a file in it, since the TSDB's own errors do not say what to do.
func checkWritable(dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("\"directory\" %s cannot be made: %w", dir, err)
	}
	probe, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return fmt.Errorf("\"directory\" %s is not writable by this process: %w", dir, err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

func openError(dir string, err error) error {
	if errors.Is(err, syscall.EAGAIN) {
		return fmt.Errorf("\"directory\" %s is in use by another process (it holds %s): stop it, or give each process a directory of its own: %w",
			dir, filepath.Join(dir, "lock"), err)
	}
	return fmt.Errorf("open the TSDB in \"directory\" %s: %w", dir, err)
}

// NewInstantQuery asks the engine of the open store, over a queryable that the API passes.
func (s *embeddedStore) NewInstantQuery(ctx context.Context, q storage.Queryable, opts promql.QueryOpts, qs string, ts time.Time) (promql.Query, error) {
	o, err := s.opened()
	if err != nil {
		return nil, err
	}
	return o.engine.NewInstantQuery(ctx, q, opts, qs, ts)
}

// NewRangeQuery asks the engine of the open store, over a queryable that the API passes.
func (s *embeddedStore) NewRangeQuery(ctx context.Context, q storage.Queryable, opts promql.QueryOpts, qs string, start, end time.Time, interval time.Duration) (promql.Query, error) {
	o, err := s.opened()
	if err != nil {
		return nil, err
	}
	return o.engine.NewRangeQuery(ctx, q, opts, qs, start, end, interval)
}

// Gather gives the metrics of the TSDB and the engine.
func (s *embeddedStore) Gather() ([]*dto.MetricFamily, error) {
	o, err := s.opened()
	if err != nil {
		return nil, err
	}
	return o.registry.Gather()
}
