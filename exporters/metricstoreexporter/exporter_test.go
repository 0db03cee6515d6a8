package metricstoreexporter

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/tsdb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	exportermetadata "github.com/quantivista/monitoring/exporters/metricstoreexporter/internal/metadata"
	"github.com/quantivista/monitoring/exporters/metricstoreexporter/internal/metadatatest"
	"github.com/quantivista/monitoring/internal/metricstore"
)

// gauges gives one resource with one gauge, and a point for each value of the attribute n.
func gauges(name string, at time.Time, values ...float64) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "app")
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(name)
	points := m.SetEmptyGauge().DataPoints()
	for i, v := range values {
		p := points.AppendEmpty()
		p.Attributes().PutInt("n", int64(i))
		p.SetTimestamp(pcommon.NewTimestampFromTime(at))
		p.SetDoubleValue(v)
	}
	return md
}

func sample(at time.Time, v float64) string {
	return fmt.Sprintf("%d %v %x", at.UnixMilli(), v, math.Float64bits(v))
}

// TestStaleReference has the store forget every series and give other ones to the same sender: a cached reference
// must neither lose a sample nor write it into another series.
func TestStaleReference(t *testing.T) {
	store := newTestStore(t, func(o *tsdb.Options) { o.OutOfOrderTimeWindow = 0 })
	e := startExporter(t, store, nil)
	old := time.Now().Add(-12 * time.Hour).Truncate(time.Millisecond)
	require.NoError(t, e.consume(context.Background(), gauges("before", old, 1, 2, 3)))

	// Other series move the head on; truncation then forgets the idle ones.
	now := time.Now().Truncate(time.Millisecond)
	require.NoError(t, e.consume(context.Background(), gauges("other", now, 10, 20, 30, 40)))
	require.NoError(t, store.Compact(context.Background()))
	require.EqualValues(t, 4, store.Head().NumSeries(), "the head still knows the idle series: the test proves nothing")

	require.NoError(t, e.consume(context.Background(), gauges("more", now, 7)))
	require.NoError(t, e.consume(context.Background(), gauges("before", now, 4, 5, 6)))
	want := map[string][]string{
		`{__name__="before", job="app", n="0"}`: {sample(old, 1), sample(now, 4)},
		`{__name__="before", job="app", n="1"}`: {sample(old, 2), sample(now, 5)},
		`{__name__="before", job="app", n="2"}`: {sample(old, 3), sample(now, 6)},
		`{__name__="other", job="app", n="0"}`:  {sample(now, 10)},
		`{__name__="other", job="app", n="1"}`:  {sample(now, 20)},
		`{__name__="other", job="app", n="2"}`:  {sample(now, 30)},
		`{__name__="other", job="app", n="3"}`:  {sample(now, 40)},
		`{__name__="more", job="app", n="0"}`:   {sample(now, 7)},
	}
	assert.Equal(t, want, dump(t, store))
}

// TestRefused sends what can never be stored.
func TestRefused(t *testing.T) {
	now := time.Now().Truncate(time.Millisecond)
	delta := gauges("delta", now)
	sum := delta.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).SetEmptySum()
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	sum.DataPoints().AppendEmpty()
	badText := gauges("bad_text", now, 1)
	badText.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().At(0).Attributes().PutStr("x", "\xff")
	badLabel := gauges("bad_label", now, 1, 2)
	badLabel.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().At(0).Attributes().PutStr("", "x")
	mixed := gauges("first", now.Add(-10*time.Hour), 1)
	gauges("ok", now, 1).ResourceMetrics().MoveAndAppendTo(mixed.ResourceMetrics())

	for name, tc := range map[string]struct {
		md      pmetric.Metrics
		reason  string
		text    string // of the permanent error; none where some points were stored
		refused int64
	}{
		"too old":                   {gauges("first", now.Add(-10*time.Hour), 1), "too_old", "too_old", 1},
		"another value at a time":   {gauges("first", now, 99), "duplicate_timestamp", "duplicate_timestamp", 1},
		"delta":                     {delta, "delta_temporality", "deltatocumulative", 1},
		"no name":                   {gauges("", now, 1, 2), "invalid", "invalid", 2},
		"attribute is no text":      {badText, "invalid", "UTF-8", 1},
		"attribute without a name":  {badLabel, "invalid", "", 1},
		"some stored, some too old": {mixed, "too_old", "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			store := newTestStore(t, nil)
			tel := componenttest.NewTelemetry()
			set := exportertest.NewNopSettings(exportermetadata.Type)
			set.TelemetrySettings = tel.NewTelemetrySettings()
			e, err := newStoreExporter(createDefaultConfig().(*Config), set)
			require.NoError(t, err)
			e.store = store
			require.NoError(t, e.consume(context.Background(), gauges("first", now, 0)))

			for range 2 { // the second time the series are known
				err = e.consume(context.Background(), tc.md)
				if tc.text == "" {
					require.NoError(t, err)
					continue
				}
				require.ErrorContains(t, err, tc.text)
				assert.True(t, consumererror.IsPermanent(err), "a refused point must not be sent again")
				assert.Equal(t, codes.InvalidArgument, status.Code(err), "over OTLP it is the sender's fault")
			}
			metadatatest.AssertEqualExporterMetricStoreRejectedDataPoints(t, tel, []metricdata.DataPoint[int64]{{
				Value: 2 * tc.refused, Attributes: attribute.NewSet(attribute.String("reason", tc.reason)),
			}}, metricdatatest.IgnoreTimestamp())
			require.NoError(t, e.shutdown(context.Background()))
		})
	}
}

// TestAllOrNothing stores nothing of a request that asks for all or none and has one bad point.
func TestAllOrNothing(t *testing.T) {
	store := newTestStore(t, nil)
	e := startExporter(t, store, nil)
	now := time.Now().Truncate(time.Millisecond)
	require.NoError(t, e.consume(context.Background(), gauges("first", now, 0)))
	before := dump(t, store)

	mixed := gauges("first", now.Add(-10*time.Hour), 1)
	gauges("ok", now, 1).ResourceMetrics().MoveAndAppendTo(mixed.ResourceMetrics())
	err := e.consume(metricstore.WithAtomic(context.Background()), mixed)
	require.ErrorContains(t, err, "too_old")
	assert.True(t, consumererror.IsPermanent(err))
	assert.Equal(t, before, dump(t, store))

	require.NoError(t, e.consume(metricstore.WithAtomic(context.Background()), gauges("ok", now, 1)))
	assert.Len(t, dump(t, store), 2)
}

// TestBrokenStore answers a failed commit with a retryable error and stores all when it is sent again.
func TestBrokenStore(t *testing.T) {
	store := newTestStore(t, nil)
	e := startExporter(t, store, nil)
	now := time.Now().Truncate(time.Millisecond)
	store.breakdown(errors.New("no space left on device"))
	md := gauges("a", now, 1)
	err := e.consume(context.Background(), md)
	require.ErrorContains(t, err, "no space left on device")
	require.False(t, consumererror.IsPermanent(err), "the sender would drop what a full disk refused")
	require.Empty(t, dump(t, store))

	store.breakdown(nil)
	require.NoError(t, e.consume(context.Background(), md))
	assert.Equal(t, map[string][]string{`{__name__="a", job="app", n="0"}`: {sample(now, 1)}}, dump(t, store))
}

// TestCacheIsBounded stores more series than may be remembered, and forgets idle ones.
func TestCacheIsBounded(t *testing.T) {
	store := newTestStore(t, nil)
	e := startExporter(t, store, func(c *Config) { c.SeriesCache.MaxSeries = 50 })
	now := time.Now().Truncate(time.Millisecond)
	for i := range 10 {
		require.NoError(t, e.consume(context.Background(), gauges(fmt.Sprintf("m%d", i), now, make([]float64, 20)...)))
	}
	assert.Len(t, dump(t, store), 200)
	cache := e.cache
	assert.LessOrEqual(t, cache.series.Load(), int64(50))
	for range idleTicks {
		cache.tick()
	}
	assert.Zero(t, cache.series.Load())
	assert.Empty(t, cache.resources, "the memory of gone resources is not given back")
}

// TestConcurrentSenders has many requests of the same resource under way while the cache forgets.
func TestConcurrentSenders(t *testing.T) {
	store := newTestStore(t, nil)
	e := startExporter(t, store, func(c *Config) { c.SeriesCache.MaxSeries = 15 })
	start := time.Now().Add(-time.Minute).Truncate(time.Millisecond)
	require.NoError(t, e.consume(context.Background(), gauges("first", start, 1)))
	var wg sync.WaitGroup
	for sender := range 4 {
		wg.Go(func() {
			for i := range 50 {
				assert.NoError(t, e.consume(context.Background(), gauges(fmt.Sprintf("s%d", sender), start.Add(time.Duration(i)*time.Millisecond), 1, 2, 3)))
				e.cache.tick()
			}
		})
	}
	wg.Wait()
	for series, samples := range dump(t, store) {
		if !strings.Contains(series, "first") {
			assert.Len(t, samples, 50, series)
		}
	}
}

// TestStartWithoutStore names the extension that is missing.
func TestStartWithoutStore(t *testing.T) {
	e, err := newStoreExporter(createDefaultConfig().(*Config), exportertest.NewNopSettings(exportermetadata.Type))
	require.NoError(t, err)
	err = e.start(context.Background(), testHost{componenttest.NewNopHost(), map[component.ID]component.Component{}})
	require.ErrorContains(t, err, `"metric_store"`)
	require.ErrorContains(t, err, "service::extensions")
	require.NoError(t, e.shutdown(context.Background()))
}

// TestReadOnlyStore is a configuration fault that sending again does not mend.
func TestReadOnlyStore(t *testing.T) {
	store := newTestStore(t, nil)
	e := startExporter(t, store, nil)
	store.breakdown(metricstore.ErrReadOnly)
	err := e.consume(context.Background(), gauges("a", time.Now(), 1))
	require.ErrorIs(t, err, metricstore.ErrReadOnly)
	assert.True(t, consumererror.IsPermanent(err))
}
