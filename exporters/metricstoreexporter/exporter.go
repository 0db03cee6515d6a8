package metricstoreexporter

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/prometheus/storage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/quantivista/monitoring/exporters/metricstoreexporter/internal/metadata"
	"github.com/quantivista/monitoring/internal/hostext"
	"github.com/quantivista/monitoring/internal/metricstore"
)

// cacheTick is how often idle series are looked for.
const cacheTick = time.Minute

// storeExporter writes metrics into a metric store.
type storeExporter struct {
	cfg       *Config
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder
	refusals  refusalLog

	store   metricstore.Store
	cache   *seriesCache
	batches sync.Pool // of *batch

	stop func() // ends the sweeper and waits for it
}

func newStoreExporter(cfg *Config, set exporter.Settings) (*storeExporter, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	e := &storeExporter{
		cfg:       cfg,
		logger:    set.Logger,
		telemetry: telemetry,
		refusals:  refusalLog{logger: set.Logger},
		cache:     newSeriesCache(cfg.SeriesCache.MaxSeries),
		stop:      func() {},
	}
	return e, telemetry.RegisterExporterMetricStoreCachedSeriesCallback(func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(e.cache.series.Load())
		return nil
	})
}

func (e *storeExporter) start(_ context.Context, host component.Host) error {
	store, err := hostext.Find[metricstore.Store](host, e.cfg.MetricStore)
	if err != nil {
		return fmt.Errorf("\"metric_store\": %w", err)
	}
	e.store = store
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.sweep(ctx)
	}()
	e.stop = func() {
		cancel()
		<-done
	}
	return nil
}

func (e *storeExporter) shutdown(context.Context) error {
	e.stop()
	e.telemetry.Shutdown()
	return nil
}

func (e *storeExporter) sweep(ctx context.Context) {
	ticker := time.NewTicker(cacheTick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			e.cache.tick()
		}
	}
}

// consume writes all data points of md that can be written, in one transaction. It returns a permanent error
// where none could be, or where not all could and the context asks for all or none; nil where some could; and a
// retryable error, with nothing written, where the store failed.
func (e *storeExporter) consume(ctx context.Context, md pmetric.Metrics) error {
	app := e.store.Appender(ctx)
	b := e.newBatch(app)
	defer e.release(b)
	resources := md.ResourceMetrics()
	for i := range resources.Len() {
		b.resource(resources.At(i))
		if b.failure != nil {
			e.rollback(app)
			return b.failure
		}
	}
	if b.refused.total() > 0 && metricstore.IsAtomic(ctx) {
		e.rollback(app)
		b.accepted = 0
		return e.report(ctx, b)
	}
	if err := app.Commit(); err != nil {
		return storeFailure(fmt.Errorf("write to the metric store: %w", err))
	}
	return e.report(ctx, b)
}

func (e *storeExporter) rollback(app storage.Appender) {
	if err := app.Rollback(); err != nil {
		e.logger.Error("Rolling back a batch failed", zap.Error(err))
	}
}

// report counts what was refused.
func (e *storeExporter) report(ctx context.Context, b *batch) error {
	if b.misses > 0 {
		e.telemetry.ExporterMetricStoreCacheMisses.Add(ctx, int64(b.misses))
	}
	if b.refusedExemplars > 0 {
		e.telemetry.ExporterMetricStoreRejectedExemplars.Add(ctx, int64(b.refusedExemplars))
	}
	if b.refused.total() == 0 {
		return nil
	}
	for reason, n := range b.refused.counts {
		if n > 0 {
			e.telemetry.ExporterMetricStoreRejectedDataPoints.Add(ctx, int64(n), refusal(reason).attribute())
		}
	}
	e.refusals.log(&b.refused, b.accepted)
	if b.accepted == 0 {
		return b.refused.permanent()
	}
	return nil
}
