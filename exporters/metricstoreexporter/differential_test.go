package metricstoreexporter

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sort"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/otlptranslator"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/storage/remote/otlptranslator/prometheusremotewrite"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"pgregory.net/rapid"
)

// TestSameAsPrometheus sends the same random requests to this exporter and to Prometheus' own converter, and
// compares every sample and exemplar of the two stores.
func TestSameAsPrometheus(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cfg := drawConfig(rt)
		ours, theirs := newTestStore(t, nil), newTestStore(t, nil)
		e := startExporter(t, ours, func(c *Config) {
			cfg.MetricStore, cfg.SeriesCache, cfg.QueueConfig, cfg.RetryConfig = c.MetricStore, c.SeriesCache, c.QueueConfig, c.RetryConfig
			*c = *cfg
		})
		if rapid.Bool().Draw(rt, "tiny cache") {
			e.cache.maxSeries = 3
		}
		g := newGenerator(rt)
		start := time.Now().Add(-10 * time.Minute).Truncate(time.Millisecond)
		for round := range 4 {
			md := g.request(round, start.Add(time.Duration(round)*15*time.Second))
			require.NoError(t, e.consume(context.Background(), md))
			writeAsPrometheus(t, theirs, cfg, md)
			if rapid.Bool().Draw(rt, "cache tick") {
				for range idleTicks {
					e.cache.tick()
				}
			}
		}
		require.Equal(t, dump(t, theirs), dump(t, ours))
		require.Equal(t, dumpExemplars(t, theirs), dumpExemplars(t, ours))
	})
}

func drawConfig(t *rapid.T) *Config {
	c := &Config{
		TranslationStrategy: string(rapid.SampledFrom([]otlptranslator.TranslationStrategyOption{
			otlptranslator.UnderscoreEscapingWithSuffixes, otlptranslator.UnderscoreEscapingWithoutSuffixes,
			otlptranslator.NoUTF8EscapingWithSuffixes, otlptranslator.NoTranslation,
		}).Draw(t, "strategy")),
		KeepIdentifyingResourceAttributes: rapid.Bool().Draw(t, "keep identifying"),
		PromoteScopeMetadata:              rapid.Bool().Draw(t, "scope"),
		ConvertHistogramsToNHCB:           rapid.Bool().Draw(t, "nhcb"),
		DisableTargetInfo:                 rapid.Bool().Draw(t, "no target_info"),
		CreatedTimestampZeroIngestion:     rapid.Bool().Draw(t, "created"),
	}
	switch rapid.IntRange(0, 2).Draw(t, "promote") {
	case 1:
		c.PromoteResourceAttributes = []string{"k8s.pod.name", "région"}
	case 2:
		c.PromoteAllResourceAttributes, c.IgnoreResourceAttributes = true, []string{"k8s.pod.name"}
	}
	return c
}

// writeAsPrometheus is Prometheus' OTLP endpoint without the HTTP.
func writeAsPrometheus(t *testing.T, s *testStore, cfg *Config, md pmetric.Metrics) {
	otlp := cfg.otlp()
	app := s.DB.Appender(context.Background())
	metrics := prometheusremotewrite.NewCombinedAppenderMetrics(prometheus.NewRegistry())
	ca := tolerant{prometheusremotewrite.NewCombinedAppender(app, promslog.NewNopLogger(), cfg.CreatedTimestampZeroIngestion, false, metrics)}
	_, err := prometheusremotewrite.NewPrometheusConverter(ca).FromMetrics(context.Background(), md, prometheusremotewrite.Settings{
		AddMetricSuffixes:                    otlp.TranslationStrategy.ShouldAddSuffixes(),
		AllowUTF8:                            !otlp.TranslationStrategy.ShouldEscape(),
		PromoteResourceAttributes:            prometheusremotewrite.NewPromoteResourceAttributes(otlp),
		KeepIdentifyingResourceAttributes:    otlp.KeepIdentifyingResourceAttributes,
		ConvertHistogramsToNHCB:              otlp.ConvertHistogramsToNHCB,
		PromoteScopeMetadata:                 otlp.PromoteScopeMetadata,
		DisableTargetInfo:                    cfg.DisableTargetInfo,
		LookbackDelta:                        5 * time.Minute,
		LabelNameUnderscoreSanitization:      otlp.LabelNameUnderscoreSanitization,
		LabelNamePreserveMultipleUnderscores: otlp.LabelNamePreserveMultipleUnderscores,
	})
	require.NoError(t, err)
	require.NoError(t, app.Commit())
}

// tolerant keeps one refused sample from ending its metric.
type tolerant struct {
	prometheusremotewrite.CombinedAppender
}

func (c tolerant) AppendSample(ls labels.Labels, meta prometheusremotewrite.Metadata, st, t int64, v float64, es []exemplar.Exemplar) error {
	err := c.CombinedAppender.AppendSample(ls, meta, st, t, v, es)
	if errors.Is(err, storage.ErrDuplicateSampleForTimestamp) {
		return nil
	}
	return err
}

func (c tolerant) AppendHistogram(ls labels.Labels, meta prometheusremotewrite.Metadata, st, t int64, h *histogram.Histogram, es []exemplar.Exemplar) error {
	err := c.CombinedAppender.AppendHistogram(ls, meta, st, t, h, es)
	if errors.Is(err, storage.ErrDuplicateSampleForTimestamp) {
		return nil
	}
	return err
}

// dump gives every series of a store with all its samples.
func dump(t testing.TB, s *testStore) map[string][]string {
	q, err := s.Querier(math.MinInt64, math.MaxInt64)
	require.NoError(t, err)
	defer func() { require.NoError(t, q.Close()) }()
	all := map[string][]string{}
	set := q.Select(context.Background(), true, nil, labels.MustNewMatcher(labels.MatchRegexp, model.MetricNameLabel, ".+"))
	for set.Next() {
		series := set.At()
		var samples []string
		it := series.Iterator(nil)
		for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
			if kind == chunkenc.ValFloat {
				at, v := it.At()
				samples = append(samples, fmt.Sprintf("%d %v %x", at, v, math.Float64bits(v)))
				continue
			}
			at, h := it.AtFloatHistogram(nil)
			samples = append(samples, fmt.Sprintf("%d %s", at, h))
		}
		require.NoError(t, it.Err())
		all[series.Labels().String()] = samples
	}
	require.NoError(t, set.Err())
	return all
}

func dumpExemplars(t testing.TB, s *testStore) []string {
	q, err := s.ExemplarQuerier(context.Background())
	require.NoError(t, err)
	found, err := q.Select(0, math.MaxInt64, []*labels.Matcher{labels.MustNewMatcher(labels.MatchRegexp, model.MetricNameLabel, ".+")})
	require.NoError(t, err)
	var all []string
	for _, r := range found {
		for _, e := range r.Exemplars {
			all = append(all, fmt.Sprint(r.SeriesLabels, e.Labels, e.Value, e.Ts))
		}
	}
	sort.Strings(all)
	return all
}

// generator draws requests whose metrics stay the same from one to the next. All values of a request are equal,
// since two metrics may come out as one series, in which the last one wins.
type generator struct {
	resources []pcommon.Map
	scopes    []string
	metrics   []drawnMetric
	points    []pcommon.Map
	stale     []bool
}

type drawnMetric struct {
	name, unit string
	kind       int
	hasSum     bool
	bounds     []float64
}

func newGenerator(t *rapid.T) *generator {
	text := rapid.SampledFrom([]string{"", "x", "a b", "ü", "checkout", "1"})
	attrs := func(keys []string, label string) pcommon.Map {
		m := pcommon.NewMap()
		for _, k := range rapid.SliceOfDistinct(rapid.SampledFrom(keys), rapid.ID[string]).Draw(t, label) {
			switch rapid.IntRange(0, 5).Draw(t, "type") {
			case 0:
				m.PutInt(k, 7)
			case 1:
				m.PutBool(k, true)
			case 2:
				m.PutDouble(k, 0.5)
			case 3:
				m.PutEmptySlice(k).AppendEmpty().SetStr("y")
			default:
				m.PutStr(k, text.Draw(t, "text"))
			}
		}
		return m
	}
	g := &generator{scopes: rapid.SliceOfN(text, 1, 2).Draw(t, "scopes")}
	for range rapid.IntRange(1, 3).Draw(t, "resources") {
		g.resources = append(g.resources, attrs([]string{"service.name", "service.namespace", "service.instance.id", "k8s.pod.name", "région", "a.b"}, "resource"))
	}
	for range rapid.IntRange(1, 3).Draw(t, "points") {
		g.points = append(g.points, attrs([]string{"a.b", "a_b", "a-b", "le", "job", "_x", "__y", "0z", "clé"}, "point"))
	}
	names := rapid.SampledFrom([]string{"http.duration", "a", "a/b", "0start", "mémoire", "requests_total", "up", "x.ratio"})
	for _, name := range rapid.SliceOfNDistinct(names, 1, 5, rapid.ID[string]).Draw(t, "metrics") {
		g.metrics = append(g.metrics, drawnMetric{
			name:   name,
			unit:   rapid.SampledFrom([]string{"", "1", "s", "By", "{request}", "By/s", "%"}).Draw(t, "unit"),
			kind:   rapid.IntRange(0, 5).Draw(t, "kind"),
			hasSum: rapid.Bool().Draw(t, "has sum"),
			bounds: rapid.SampledFrom([][]float64{nil, {1}, {0.005, 1, 1e6}, {-1, 0, 2.5}}).Draw(t, "bounds"),
		})
	}
	g.stale = rapid.SliceOfN(rapid.Bool(), 4, 4).Draw(t, "stale")
	return g
}

func (g *generator) request(round int, at time.Time) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for _, attrs := range g.resources {
		rm := md.ResourceMetrics().AppendEmpty()
		attrs.CopyTo(rm.Resource().Attributes())
		for _, scope := range g.scopes {
			sm := rm.ScopeMetrics().AppendEmpty()
			sm.Scope().SetName(scope)
			sm.Scope().SetVersion("1.2")
			sm.Scope().Attributes().PutStr("team.name", "core")
			for _, m := range g.metrics {
				g.metric(sm.Metrics().AppendEmpty(), m, point{
					t: pcommon.NewTimestampFromTime(at), start: pcommon.NewTimestampFromTime(at.Truncate(time.Hour).Add(-time.Minute)),
					v: float64(round + 1), stale: g.stale[round],
				})
			}
		}
	}
	return md
}

// point is what all data points of a request share.
type point struct {
	t, start pcommon.Timestamp
	v        float64
	stale    bool
}

func (g *generator) metric(m pmetric.Metric, d drawnMetric, p point) {
	m.SetName(d.name)
	m.SetUnit(d.unit)
	for _, attrs := range g.points {
		switch d.kind {
		case 0:
			p.number(gaugePoints(m).AppendEmpty(), attrs, false)
		case 1, 2:
			p.number(sumPoints(m, d.kind == 1).AppendEmpty(), attrs, true)
		case 3:
			p.histogram(histogramPoints(m).AppendEmpty(), attrs, d)
		case 4:
			p.native(nativePoints(m).AppendEmpty(), attrs)
		case 5:
			p.summary(summaryPoints(m).AppendEmpty(), attrs)
		}
	}
}

func (p point) flags() pmetric.DataPointFlags {
	return pmetric.DefaultDataPointFlags.WithNoRecordedValue(p.stale)
}

func (p point) number(x pmetric.NumberDataPoint, attrs pcommon.Map, exemplars bool) {
	attrs.CopyTo(x.Attributes())
	x.SetTimestamp(p.t)
	x.SetStartTimestamp(p.start)
	x.SetFlags(p.flags())
	if attrs.Len()%2 == 0 {
		x.SetIntValue(int64(p.v))
	} else {
		x.SetDoubleValue(p.v)
	}
	if exemplars {
		p.exemplar(x.Exemplars().AppendEmpty())
	}
}

func (p point) exemplar(e pmetric.Exemplar) {
	e.SetTimestamp(p.t)
	e.SetDoubleValue(p.v)
	e.SetTraceID([16]byte{1, 2, 3})
	e.SetSpanID([8]byte{4})
	e.FilteredAttributes().PutStr("user", "x")
}

func (p point) histogram(x pmetric.HistogramDataPoint, attrs pcommon.Map, d drawnMetric) {
	attrs.CopyTo(x.Attributes())
	x.SetTimestamp(p.t)
	x.SetStartTimestamp(p.start)
	x.SetFlags(p.flags())
	x.SetCount(uint64(p.v))
	if d.hasSum {
		x.SetSum(p.v)
	}
	x.ExplicitBounds().FromRaw(d.bounds)
	counts := make([]uint64, len(d.bounds)+1)
	counts[0] = uint64(p.v)
	x.BucketCounts().FromRaw(counts)
	p.exemplar(x.Exemplars().AppendEmpty())
}

func (p point) native(x pmetric.ExponentialHistogramDataPoint, attrs pcommon.Map) {
	attrs.CopyTo(x.Attributes())
	x.SetTimestamp(p.t)
	x.SetStartTimestamp(p.start)
	x.SetFlags(p.flags())
	x.SetScale(10) // finer than Prometheus keeps
	x.SetCount(uint64(p.v))
	x.SetSum(p.v)
	x.Positive().SetOffset(-2)
	x.Positive().BucketCounts().FromRaw([]uint64{uint64(p.v), 0, 0, 0, 0})
	p.exemplar(x.Exemplars().AppendEmpty())
}

func (p point) summary(x pmetric.SummaryDataPoint, attrs pcommon.Map) {
	attrs.CopyTo(x.Attributes())
	x.SetTimestamp(p.t)
	x.SetStartTimestamp(p.start)
	x.SetFlags(p.flags())
	x.SetCount(uint64(p.v))
	x.SetSum(p.v)
	for _, q := range []float64{0.5, 1} {
		qv := x.QuantileValues().AppendEmpty()
		qv.SetQuantile(q)
		qv.SetValue(p.v)
	}
}

func gaugePoints(m pmetric.Metric) pmetric.NumberDataPointSlice {
	if m.Type() != pmetric.MetricTypeGauge {
		m.SetEmptyGauge()
	}
	return m.Gauge().DataPoints()
}

func sumPoints(m pmetric.Metric, monotonic bool) pmetric.NumberDataPointSlice {
	if m.Type() != pmetric.MetricTypeSum {
		m.SetEmptySum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		m.Sum().SetIsMonotonic(monotonic)
	}
	return m.Sum().DataPoints()
}

func histogramPoints(m pmetric.Metric) pmetric.HistogramDataPointSlice {
	if m.Type() != pmetric.MetricTypeHistogram {
		m.SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	}
	return m.Histogram().DataPoints()
}

func nativePoints(m pmetric.Metric) pmetric.ExponentialHistogramDataPointSlice {
	if m.Type() != pmetric.MetricTypeExponentialHistogram {
		m.SetEmptyExponentialHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	}
	return m.ExponentialHistogram().DataPoints()
}

func summaryPoints(m pmetric.Metric) pmetric.SummaryDataPointSlice {
	if m.Type() != pmetric.MetricTypeSummary {
		m.SetEmptySummary()
	}
	return m.Summary().DataPoints()
}
