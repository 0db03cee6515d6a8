package metricstoreextension

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/metricstore"
)

// TestConformance runs one suite against the embedded store, and against a remote store that queries the
// embedded one's own API.
func TestConformance(t *testing.T) {
	base := time.Now().Add(-time.Minute).Truncate(time.Second)
	embedded, _ := startStore(t, testConfig(t))
	writeDataSet(t, embedded, base)

	t.Run("embedded", func(t *testing.T) { conform(t, embedded, base) })
	t.Run("remote", func(t *testing.T) { conform(t, remoteOf(t, embedded), base) })
}

// remoteOf starts a remote store that queries another store's API, below a path.
func remoteOf(t *testing.T, store metricstore.Store) *remoteStore {
	t.Helper()
	api, err := store.PrometheusAPI(metricstore.Companions{})
	require.NoError(t, err)
	server := httptest.NewServer(http.StripPrefix("/prometheus", api))
	t.Cleanup(server.Close)
	remote, _ := startRemote(t, server.URL+"/prometheus")
	return remote
}

func startRemote(t *testing.T, endpoint string) (*remoteStore, *testHost) {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.Remote.GetOrInsertDefault().Endpoint = endpoint
	require.NoError(t, cfg.Validate())
	remote := newRemoteStore(cfg, testSettings())
	host := newTestHost()
	require.NoError(t, remote.Start(context.Background(), host))
	t.Cleanup(func() { require.NoError(t, remote.Shutdown(context.Background())) })
	return remote, host
}

// histograms of the data set, by the value of the label kind.
func dataSetHistograms() map[string]*histogram.FloatHistogram {
	return map[string]*histogram.FloatHistogram{
		"exponential": tsdbutil.GenerateTestFloatHistogram(5),
		"custom":      tsdbutil.GenerateTestCustomBucketsFloatHistogram(5),
		"empty":       {Schema: 0},
		"fine": {
			Schema: 5, ZeroThreshold: 0.001, ZeroCount: 2, Count: 12, Sum: 20,
			PositiveSpans: []histogram.Span{{Offset: -100, Length: 2}, {Offset: 300, Length: 1}}, PositiveBuckets: []float64{1, 2, 3},
			NegativeSpans: []histogram.Span{{Offset: 7, Length: 2}}, NegativeBuckets: []float64{1, 3},
		},
		"coarse": {Schema: -3, Count: 3, Sum: 1e9, PositiveSpans: []histogram.Span{{Offset: 2, Length: 2}}, PositiveBuckets: []float64{1, 2}},
	}
}

func writeDataSet(t *testing.T, store metricstore.Store, base time.Time) {
	t.Helper()
	for i := range 3 {
		at := base.Add(time.Duration(i) * 10 * time.Second)
		require.NoError(t, write(store,
			sample{labels.FromStrings("__name__", "requests_total", "job", "api", "code", "200"), at, float64(i * 10)},
			sample{labels.FromStrings("__name__", "requests_total", "job", "api", "code", "500"), at, float64(i)},
			sample{labels.FromStrings("__name__", "odd", "http.method", "GET"), at, []float64{math.NaN(), math.Inf(1), 0.1}[i]},
		))
	}
	app := store.Appender(context.Background())
	for kind, h := range dataSetHistograms() {
		_, err := app.AppendHistogram(0, labels.FromStrings("__name__", "latency", "kind", kind), base.UnixMilli(), nil, h)
		require.NoError(t, err)
	}
	series := labels.FromStrings("__name__", "requests_total", "job", "api", "code", "500")
	_, err := app.AppendExemplar(0, series, exemplar.Exemplar{Labels: labels.FromStrings("trace_id", "abc"), Value: 2, Ts: base.UnixMilli(), HasTs: true})
	require.NoError(t, err)
	require.NoError(t, app.Commit())
}

func conform(t *testing.T, store metricstore.Store, base time.Time) {
	t.Helper()
	ctx := context.Background()
	end := base.Add(20 * time.Second)

	t.Run("vector", func(t *testing.T) {
		got := instant(t, store, `sort(requests_total)`, end)
		require.Len(t, got, 2)
		assert.Equal(t, promql.Sample{Metric: labels.FromStrings("__name__", "requests_total", "code", "500", "job", "api"), T: end.UnixMilli(), F: 2}, got[0])
	})
	t.Run("scalar", func(t *testing.T) {
		res, err := store.Query(ctx, "1/3", end)
		require.NoError(t, err)
		assert.Equal(t, promql.Scalar{T: end.UnixMilli(), V: 1. / 3}, res.Value)
	})
	t.Run("string", func(t *testing.T) {
		res, err := store.Query(ctx, `"text"`, end)
		require.NoError(t, err)
		assert.Equal(t, promql.String{T: end.UnixMilli(), V: "text"}, res.Value)
	})
	t.Run("range", func(t *testing.T) {
		res, err := store.QueryRange(ctx, `sum by (job) (requests_total)`, metricstore.Range{Start: base, End: end, Step: 10 * time.Second})
		require.NoError(t, err)
		assert.Equal(t, promql.Matrix{{
			Metric: labels.FromStrings("job", "api"),
			Floats: []promql.FPoint{{T: base.UnixMilli(), F: 0}, {T: base.Add(10 * time.Second).UnixMilli(), F: 11}, {T: end.UnixMilli(), F: 22}},
		}}, res.Value)
	})
	t.Run("special values", func(t *testing.T) {
		res, err := store.Query(ctx, `odd[1m]`, end)
		require.NoError(t, err)
		m := res.Value.(promql.Matrix)
		require.Len(t, m, 1)
		require.Len(t, m[0].Floats, 3)
		assert.True(t, math.IsNaN(m[0].Floats[0].F))
		assert.True(t, math.IsInf(m[0].Floats[1].F, 1))
		assert.Equal(t, "GET", m[0].Metric.Get("http.method"))
	})
	t.Run("histograms", func(t *testing.T) {
		got := instant(t, store, "latency", end)
		want := dataSetHistograms()
		require.Len(t, got, len(want))
		for _, s := range got {
			kind := s.Metric.Get("kind")
			require.NotNil(t, s.H, kind)
			assert.True(t, want[kind].Compact(0).Equals(s.H.Compact(0)), "%s: want %#v, is %#v", kind, want[kind], s.H)
		}
	})
	t.Run("warnings and informations", func(t *testing.T) {
		res, err := store.Query(ctx, `quantile(2, requests_total)`, end)
		require.NoError(t, err)
		assert.Len(t, res.Warnings, 1)
		res, err = store.Query(ctx, `rate(odd[1m])`, end)
		require.NoError(t, err)
		assert.Len(t, res.Infos, 1)
	})
	t.Run("errors", func(t *testing.T) { conformErrors(t, store, base) })
	t.Run("querier", func(t *testing.T) { conformQuerier(t, store, base) })
	t.Run("exemplars", func(t *testing.T) {
		q, err := store.ExemplarQuerier(ctx)
		require.NoError(t, err)
		got, err := q.Select(base.UnixMilli(), end.UnixMilli(),
			[]*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, "__name__", "none")},
			[]*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, "code", "500")})
		require.NoError(t, err)
		assert.Equal(t, []exemplar.QueryResult{{
			SeriesLabels: labels.FromStrings("__name__", "requests_total", "job", "api", "code", "500"),
			Exemplars:    []exemplar.Exemplar{{Labels: labels.FromStrings("trace_id", "abc"), Value: 2, Ts: base.UnixMilli(), HasTs: true}},
		}}, got)
	})
}

func conformErrors(t *testing.T, store metricstore.Store, base time.Time) {
	t.Helper()
	ctx := context.Background()
	for _, tt := range []struct {
		expr                     string
		start, end, line, column int
	}{
		{"sum(", 4, 4, 1, 5},
		{"up +\n  {", 8, 8, 2, 4},
		{"rate(up)", 5, 7, 1, 6},
	} {
		_, err := store.Query(ctx, tt.expr, base)
		var syntax *metricstore.SyntaxError
		require.ErrorAs(t, err, &syntax, tt.expr)
		assert.NotEmpty(t, syntax.Message)
		syntax.Message = ""
		assert.Equal(t, &metricstore.SyntaxError{Start: tt.start, End: tt.end, Line: tt.line, Column: tt.column}, syntax, tt.expr)
	}
	_, err := store.Query(ctx, "requests_total * on (job) requests_total", base.Add(10*time.Second))
	require.ErrorIs(t, err, metricstore.ErrExecution)
	require.ErrorContains(t, err, "many-to-many")

	canceled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = store.Query(canceled, "up", base)
	require.ErrorIs(t, err, metricstore.ErrCanceled)
}

func conformQuerier(t *testing.T, store metricstore.Store, base time.Time) {
	t.Helper()
	ctx := context.Background()
	q, err := store.Querier(base.UnixMilli(), base.Add(10*time.Second).UnixMilli())
	require.NoError(t, err)
	defer func() { require.NoError(t, q.Close()) }()

	got := map[string][]string{}
	var order []string
	set := q.Select(ctx, true, nil, labels.MustNewMatcher(labels.MatchEqual, "__name__", "requests_total"), labels.MustNewMatcher(labels.MatchRegexp, "code", "2..|5.."))
	for set.Next() {
		name := set.At().Labels().String()
		order = append(order, name)
		it := set.At().Iterator(nil)
		for it.Next() == chunkenc.ValFloat {
			at, v := it.At()
			got[name] = append(got[name], fmt.Sprintf("%g@%d", v, at-base.UnixMilli()))
		}
		require.NoError(t, it.Err())
	}
	require.NoError(t, set.Err())
	assert.Equal(t, []string{`{__name__="requests_total", code="200", job="api"}`, `{__name__="requests_total", code="500", job="api"}`}, order)
	assert.Equal(t, map[string][]string{order[0]: {"0@0", "10@10000"}, order[1]: {"0@0", "1@10000"}}, got, "both ends of the range are in it")

	names, _, err := q.LabelNames(ctx, nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"__name__", "code", "http.method", "job", "kind"}, names)
	values, _, err := q.LabelValues(ctx, "http.method", nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"GET"}, values)
	values, _, err = q.LabelValues(ctx, "code", &storage.LabelHints{Limit: 1}, labels.MustNewMatcher(labels.MatchEqual, "job", "api"))
	require.NoError(t, err)
	assert.Equal(t, []string{"200"}, values)
}

func TestTooManySamples(t *testing.T) {
	cfg := testConfig(t)
	cfg.Query.MaxSamples = 10
	embedded, _ := startStore(t, cfg)
	now := time.Now()
	require.NoError(t, write(embedded, batch("load", 0, 100, now)...))
	for name, store := range map[string]metricstore.Store{"embedded": embedded, "remote": remoteOf(t, embedded)} {
		_, err := store.Query(context.Background(), `{__name__=~".+"}`, now)
		require.ErrorIs(t, err, metricstore.ErrTooManySamples, name)
	}
}

func TestQueryTimeout(t *testing.T) {
	cfg := testConfig(t)
	cfg.Query.Timeout = model.Duration(time.Microsecond)
	embedded, _ := startStore(t, cfg)
	now := time.Now()
	require.NoError(t, write(embedded, batch("load", 0, 1000, now)...))
	expr := "sum(" + strings.Repeat("count_over_time({__name__=~\".+\"}[1h:1s]) + ", 5) + "1)"
	for name, store := range map[string]metricstore.Store{"embedded": embedded, "remote": remoteOf(t, embedded)} {
		_, err := store.Query(context.Background(), expr, now)
		require.ErrorIs(t, err, metricstore.ErrTimeout, name)
	}
}
