package promtelemetry_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/otlptranslator"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.uber.org/goleak"

	"github.com/quantivista/monitoring/internal/promtelemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// target is what a Prometheus scrapes from OpenTelemetry's exporter.
type target struct {
	meter    metric.Meter
	registry *prometheus.Registry
}

// newTarget exports as the collector does by default, or with these options.
func newTarget(t *testing.T, options ...otelprom.Option) target {
	t.Helper()
	registry := prometheus.NewRegistry()
	options = append([]otelprom.Option{otelprom.WithRegisterer(registry), otelprom.WithoutScopeInfo(), otelprom.WithoutTargetInfo()}, options...)
	exporter, err := otelprom.New(options...)
	require.NoError(t, err)
	provider := sdk.NewMeterProvider(sdk.WithReader(exporter))
	t.Cleanup(func() { require.NoError(t, provider.Shutdown(context.Background())) })
	return target{provider.Meter("test"), registry}
}

// asTheCollector are the options of the collector's default reader on :8888.
func asTheCollector() []otelprom.Option {
	return []otelprom.Option{otelprom.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithoutSuffixes)}
}

// scrape gives the families by name.
func (t target) scrape(tb testing.TB) map[string]*dto.MetricFamily {
	tb.Helper()
	families, err := t.registry.Gather()
	require.NoError(tb, err)
	byName := map[string]*dto.MetricFamily{}
	for _, family := range families {
		byName[family.GetName()] = family
	}
	return byName
}

func registryWithAll(t *testing.T) *prometheus.Registry {
	t.Helper()
	registry := prometheus.NewRegistry()
	appended := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "prometheus_tsdb_head_samples_appended_total", Help: "Total appended samples."}, []string{"type"})
	series := prometheus.NewGauge(prometheus.GaugeOpts{Name: "prometheus_tsdb_head_series"})
	size := prometheus.NewUntypedFunc(prometheus.UntypedOpts{Name: "prometheus_tsdb_size_bytes"}, func() float64 { return 4 })
	fsync := prometheus.NewSummary(prometheus.SummaryOpts{Name: "prometheus_tsdb_wal_fsync_duration_seconds"})
	compaction := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "prometheus_tsdb_compaction_duration_seconds", NativeHistogramBucketFactor: 1.1})
	registry.MustRegister(appended, series, size, fsync, compaction)
	appended.WithLabelValues("float").Add(7)
	appended.WithLabelValues("histogram").Add(2)
	series.Set(-3.5)
	fsync.Observe(0.25)
	fsync.Observe(0.5)
	compaction.Observe(12)
	return registry
}

func TestNamesAndValuesOnTheCollectorsEndpoint(t *testing.T) {
	target := newTarget(t, asTheCollector()...)
	bridge, err := promtelemetry.New(target.meter, registryWithAll(t))
	require.NoError(t, err)
	got := target.scrape(t)

	appended := got["prometheus_tsdb_head_samples_appended_total"]
	require.NotNil(t, appended, "%v", got)
	assert.Equal(t, dto.MetricType_COUNTER, appended.GetType())
	assert.Equal(t, "Total appended samples.", appended.GetHelp())
	require.Len(t, appended.GetMetric(), 2)
	assert.Equal(t, "type", appended.GetMetric()[0].GetLabel()[0].GetName())
	assert.Equal(t, "float", appended.GetMetric()[0].GetLabel()[0].GetValue())
	assert.InDelta(t, 7, appended.GetMetric()[0].GetCounter().GetValue(), 0)

	assert.InDelta(t, -3.5, got["prometheus_tsdb_head_series"].GetMetric()[0].GetGauge().GetValue(), 0)
	assert.InDelta(t, 4, got["prometheus_tsdb_size_bytes"].GetMetric()[0].GetGauge().GetValue(), 0)
	for name, want := range map[string]float64{
		"prometheus_tsdb_wal_fsync_duration_seconds_count":  2,
		"prometheus_tsdb_wal_fsync_duration_seconds_sum":    0.75,
		"prometheus_tsdb_compaction_duration_seconds_count": 1,
		"prometheus_tsdb_compaction_duration_seconds_sum":   12,
	} {
		require.NotNil(t, got[name], name)
		assert.InDelta(t, want, got[name].GetMetric()[0].GetCounter().GetValue(), 0, name)
	}
	assert.Len(t, got, 7)
	require.NoError(t, bridge.Close())
	assert.Empty(t, target.scrape(t))
}

func TestAnExporterWithSuffixesKeepsTheNamesOfCounters(t *testing.T) {
	target := newTarget(t)
	bridge, err := promtelemetry.New(target.meter, registryWithAll(t))
	require.NoError(t, err)
	got := target.scrape(t)
	assert.Contains(t, got, "prometheus_tsdb_head_samples_appended_total")
	assert.Contains(t, got, "prometheus_tsdb_head_series")
	require.NoError(t, bridge.Close())
}

func TestFamiliesThatAppearLater(t *testing.T) {
	registry := prometheus.NewRegistry()
	calls := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "calls_total"}, []string{"code"})
	registry.MustRegister(calls)
	target := newTarget(t, asTheCollector()...)
	bridge, err := promtelemetry.New(target.meter, registry)
	require.NoError(t, err)
	assert.Empty(t, target.scrape(t))

	calls.WithLabelValues("200").Add(5)
	var family *dto.MetricFamily
	require.Eventually(t, func() bool {
		family = target.scrape(t)["calls_total"]
		return family != nil
	}, 10*time.Second, time.Millisecond)
	assert.InDelta(t, 5, family.GetMetric()[0].GetCounter().GetValue(), 0)

	calls.WithLabelValues("500").Inc()
	assert.Len(t, target.scrape(t)["calls_total"].GetMetric(), 2, "a new label value of a known family is there at once")
	require.NoError(t, bridge.Close())
}

// gatherer counts its calls.
type gatherer struct {
	families []*dto.MetricFamily
	err      error
	calls    int
}

func (g *gatherer) Gather() ([]*dto.MetricFamily, error) {
	g.calls++
	return g.families, g.err
}

func TestOneGatheringForEachCollection(t *testing.T) {
	families, err := registryWithAll(t).Gather()
	require.NoError(t, err)
	g := &gatherer{families: families}
	target := newTarget(t, asTheCollector()...)
	bridge, err := promtelemetry.New(target.meter, g)
	require.NoError(t, err)
	before := g.calls
	target.scrape(t)
	assert.Equal(t, 1, g.calls-before)
	require.NoError(t, bridge.Close())
}

func TestFaults(t *testing.T) {
	target := newTarget(t)
	broken := errors.New("broken")
	_, err := promtelemetry.New(target.meter, &gatherer{err: broken})
	require.ErrorIs(t, err, broken)

	// OpenTelemetry has no name of this length.
	name := strings.Repeat("x", 300)
	value := 1.0
	typ := dto.MetricType_GAUGE
	long := []*dto.MetricFamily{{Name: &name, Type: &typ, Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: &value}}}}}
	_, err = promtelemetry.New(target.meter, &gatherer{families: long})
	require.ErrorContains(t, err, "xxx")
}
