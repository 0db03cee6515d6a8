package promapi_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/grafana/regexp"
	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/route"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/notifier"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"
	"github.com/prometheus/prometheus/util/notifications"
	apiv1 "github.com/prometheus/prometheus/web/api/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/quantivista/monitoring/internal/promapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var base = time.Now().Add(-time.Minute).Truncate(time.Second)

// backend is a TSDB with an engine, and the metadata of families.
type backend struct {
	*tsdb.DB
	registry *prometheus.Registry
	engine   *promql.Engine
	families families
}

type families map[string]metadata.Metadata

func (f families) SetMetadata(family string, m metadata.Metadata) { f[family] = m }
func (f families) SizeMetadata() int                              { return 0 }
func (f families) LengthMetadata() int                            { return len(f) }

func (f families) GetMetadata(family string) (scrape.MetricMetadata, bool) {
	m, ok := f[family]
	return scrape.MetricMetadata{MetricFamily: family, Type: m.Type, Help: m.Help, Unit: m.Unit}, ok
}

func (f families) ListMetadata() []scrape.MetricMetadata {
	var list []scrape.MetricMetadata
	for family := range f {
		m, _ := f.GetMetadata(family)
		list = append(list, m)
	}
	return list
}

func newBackend(t testing.TB) *backend {
	t.Helper()
	options := tsdb.DefaultOptions()
	options.EnableExemplarStorage, options.MaxExemplars = true, 100
	registry := prometheus.NewRegistry()
	db, err := tsdb.Open(t.TempDir(), slog.New(slog.DiscardHandler), registry, options, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return &backend{
		DB:       db,
		registry: registry,
		engine: promql.NewEngine(promql.EngineOpts{
			MaxSamples: 10_000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute, EnableAtModifier: true, EnableNegativeOffset: true,
			NoStepSubqueryIntervalFn: func(int64) int64 { return 60_000 },
		}),
		families: families{"requests_total": {Type: model.MetricTypeCounter, Help: "Requests <served>."}},
	}
}

func (b *backend) fill(t testing.TB) {
	t.Helper()
	app := b.Appender(context.Background())
	for i := range 3 {
		at := base.Add(time.Duration(i) * 10 * time.Second).UnixMilli()
		for _, code := range []string{"200", "500"} {
			_, err := app.Append(0, labels.FromStrings("__name__", "requests_total", "code", code, "job", "api"), at, float64(i)/3)
			require.NoError(t, err)
		}
		_, err := app.Append(0, labels.FromStrings("__name__", "odd", "http.method", "G<E>T \"ü\""), at, []float64{math.NaN(), math.Inf(1), -0.1}[i])
		require.NoError(t, err)
		_, err = app.AppendHistogram(0, labels.FromStrings("__name__", "latency"), at, tsdbutil.GenerateTestHistogram(int64(i)), nil)
		require.NoError(t, err)
	}
	series := labels.FromStrings("__name__", "requests_total", "code", "500", "job", "api")
	_, err := app.AppendExemplar(0, series, exemplar.Exemplar{Labels: labels.FromStrings("trace_id", "abc"), Value: 2, Ts: base.UnixMilli(), HasTs: true})
	require.NoError(t, err)
	require.NoError(t, app.Commit())
}

// stats adapts a TSDB as Prometheus' main does.
type stats struct{ *tsdb.DB }

func (s stats) BlockMetas() ([]tsdb.BlockMeta, error) { return s.DB.BlockMetas(), nil }
func (s stats) Stats(label string, limit int) (*tsdb.Stats, error) {
	return s.Head().Stats(label, limit), nil
}
func (stats) WALReplayStatus() (tsdb.WALReplayStatus, error) { return tsdb.WALReplayStatus{}, nil }

func (b *backend) options() promapi.Options {
	return promapi.Options{
		Engine: b.engine, Storage: b.DB, Exemplars: b.DB, Appendable: b.DB, TSDB: stats{b.DB}, Metadata: b.families,
		Ready: func() bool { return true }, Flags: map[string]string{"query.timeout": "1m"}, StartTime: base, Retention: "15d",
		ReadSampleLimit: 10_000, LookbackDelta: 5 * time.Minute, Logger: slog.New(slog.DiscardHandler), Gatherer: b.registry,
	}
}

func (b *backend) ours(t testing.TB, change ...func(*promapi.Options)) http.Handler {
	t.Helper()
	options := b.options()
	for _, c := range change {
		c(&options)
	}
	api, err := promapi.New(options)
	require.NoError(t, err)
	return api
}

// prometheus wires the API as Prometheus' web package does, with managers that scrape, evaluate and notify
// nothing.
func (b *backend) prometheus(t testing.TB) http.Handler {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	scrapes, err := scrape.NewManager(&scrape.Options{}, logger, nil, b.DB, prometheus.NewRegistry())
	require.NoError(t, err)
	t.Cleanup(scrapes.Stop)
	notifiers := notifier.NewManager(&notifier.Options{Registerer: prometheus.NewRegistry()}, model.UTF8Validation, logger)
	evaluations := rules.NewManager(&rules.ManagerOptions{Logger: logger, Context: context.Background(), NameValidationScheme: model.UTF8Validation})
	notes := notifications.NewNotifications(16, nil)
	api := apiv1.NewAPI(b.engine, b.DB, b.DB, b.DB,
		func(context.Context) apiv1.ScrapePoolsRetriever { return scrapes },
		func(context.Context) apiv1.TargetRetriever { return scrapes },
		func(context.Context) apiv1.AlertmanagerRetriever { return notifiers },
		func() config.Config { return config.DefaultConfig }, map[string]string{"query.timeout": "1m"},
		apiv1.GlobalURLOptions{ListenAddress: "localhost:9090", Host: "localhost:9090", Scheme: "http"},
		func(f http.HandlerFunc) http.HandlerFunc { return f }, stats{b.DB}, b.Dir(), false, logger,
		func(context.Context) apiv1.RulesRetriever { return evaluations }, 10_000, 10, 1<<20, false, regexp.MustCompile("^(?:.*)$"),
		func() (apiv1.RuntimeInfo, error) { return apiv1.RuntimeInfo{}, nil }, &apiv1.PrometheusVersion{}, notes.Get, notes.Sub, b.registry, nil, nil,
		true, remoteapi.MessageTypes{remoteapi.WriteV1MessageType, remoteapi.WriteV2MessageType}, false, false, false, false, 5*time.Minute, false, true, nil, nil)
	router := route.New()
	api.Register(router)
	return http.StripPrefix("/api/v1", router)
}

func ask(h http.Handler, method, target, form string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), method, target, strings.NewReader(form))
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// requests that both must answer alike, as method, path with query, and form.
func requests() [][3]string {
	start, end := base.Unix(), base.Add(20*time.Second).Unix()
	var all [][3]string
	for _, expr := range []string{
		"requests_total", `sum by (code) (rate(requests_total[1m]))`, "latency", "histogram_quantile(0.9, latency)", "odd", "1/0", `"text"`,
		"requests_total[1m]", "sum(", "rate(requests_total)", "requests_total * on (job) requests_total", "quantile(2, requests_total)",
		`{"http.method"=~".+"}`, "sum_over_time(requests_total[1h:1ms])", "topk(1, requests_total)", "",
	} {
		q := url.Values{"query": {expr}, "time": {fmt.Sprint(end)}, "start": {fmt.Sprint(start)}, "end": {fmt.Sprint(end)}, "step": {"10"}}.Encode()
		all = append(all,
			[3]string{"GET", "/api/v1/query?" + q},
			[3]string{"POST", "/api/v1/query", q + "&stats=all&limit=1"},
			[3]string{"GET", "/api/v1/query_range?" + q},
			[3]string{"POST", "/api/v1/query_range", q},
			[3]string{"GET", "/api/v1/query_exemplars?" + q},
			[3]string{"GET", "/api/v1/format_query?" + q},
			[3]string{"POST", "/api/v1/parse_query", q},
		)
	}
	for _, target := range []string{
		"/labels", "/labels?match[]=requests_total&limit=1", "/labels?match[]=%7B", "/label/code/values", "/label/U__http_2e_method/values",
		"/label/none/values", "/label/code/values?start=1&end=2", "/series?match[]=requests_total", "/series", "/series?match[]=%7B__name__%3D~%22.%2B%22%7D&limit=2",
		"/metadata?metric=none", "/targets", "/targets?state=active", "/targets?state=dropped", "/targets?scrapePool=x", "/targets/metadata", "/scrape_pools",
		"/targets/relabel_steps?scrapePool=x&labels=%7B%7D", "/alertmanagers", "/rules", "/rules?type=alert", "/rules?type=x", "/rules?group_limit=0", "/alerts",
		"/status/config", "/status/flags", "/status/tsdb", "/status/tsdb?limit=1", "/status/tsdb?limit=0", "/status/tsdb/blocks", "/status/walreplay", "/features",
		"/notifications", "/none", "", "/", "/query?query=1&timeout=x", "/query?query=1&time=x", "/query_range?query=1&start=2&end=1&step=1",
		"/query_range?query=1&start=0&end=1000000&step=1", "/query_range?query=1&start=0&end=1&step=0", "/query?query=1&lookback_delta=x",
	} {
		all = append(all, [3]string{"GET", "/api/v1" + target})
	}
	for _, r := range [][2]string{
		{"OPTIONS", "/query"}, {"DELETE", "/series"}, {"PUT", "/query"}, {"POST", "/admin/tsdb/delete_series?match[]=x"}, {"PUT", "/admin/tsdb/snapshot"},
		{"POST", "/admin/tsdb/clean_tombstones"}, {"POST", "/otlp/v1/metrics"}, {"GET", "/write"}, {"POST", "/metadata"},
	} {
		all = append(all, [3]string{r[0], "/api/v1" + r[1]})
	}
	return all
}

// timings are the only part of an answer that differs from run to run.
var timings = regexp.MustCompile(`("[a-zA-Z]+Time"):[0-9.e+-]+`)

func TestEveryAnswerIsPrometheus(t *testing.T) {
	b := newBackend(t)
	b.fill(t)
	ours, theirs := b.ours(t), b.prometheus(t)
	for _, r := range requests() {
		got, want := ask(ours, r[0], r[1], r[2]), ask(theirs, r[0], r[1], r[2])
		name := strings.Join(r[:], " ")
		assert.Equal(t, want.Code, got.Code, name)
		assert.Equal(t, want.Header(), got.Header(), name)
		assert.Equal(t, timings.ReplaceAllString(want.Body.String(), "$1"), timings.ReplaceAllString(got.Body.String(), "$1"), name)
	}
}

func TestMetadataIsThatOfTheFamilies(t *testing.T) {
	b := newBackend(t)
	api := b.ours(t)
	want := `{"status":"success","data":{"requests_total":[{"type":"counter","unit":"","help":"Requests \u003cserved\u003e."}]}}`
	assert.Equal(t, want, ask(api, "GET", "/api/v1/metadata", "").Body.String())
	assert.Equal(t, want, ask(api, "GET", "/api/v1/metadata?metric=requests_total&limit=1", "").Body.String())
}

func TestStatusOfThisProcess(t *testing.T) {
	api := newBackend(t).ours(t)
	assert.Regexp(t, `^\{"status":"success","data":\{"version":".+","revision":".+","branch":"","buildUser":"","buildDate":"","goVersion":"go1\..+"\}\}$`,
		ask(api, "GET", "/api/v1/status/buildinfo", "").Body.String())
	info := ask(api, "GET", "/api/v1/status/runtimeinfo", "").Body.String()
	assert.Contains(t, info, `"startTime":"`+base.UTC().Format(time.RFC3339)+`"`)
	assert.Contains(t, info, `"storageRetention":"15d"`)
	assert.Contains(t, info, `"corruptionCount":0`)
}

func TestCompanions(t *testing.T) {
	b := newBackend(t)
	evaluations := rules.NewManager(&rules.ManagerOptions{Logger: slog.New(slog.DiscardHandler), Context: context.Background(), NameValidationScheme: model.UTF8Validation})
	targets := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "companion of ", r.URL.Path) })
	api := b.ours(t, func(o *promapi.Options) {
		o.Targets = targets
		o.Rules = func(context.Context) apiv1.RulesRetriever { return evaluations }
	})
	for _, path := range []string{"/api/v1/targets", "/api/v1/targets/metadata", "/api/v1/scrape_pools"} {
		assert.Equal(t, "companion of "+path, ask(api, "GET", path, "").Body.String())
	}
	for _, handler := range []http.Handler{api, promapi.NewRules(func(context.Context) apiv1.RulesRetriever { return evaluations }, slog.New(slog.DiscardHandler))} {
		assert.JSONEq(t, `{"status":"success","data":{"groups":[]}}`, ask(handler, "GET", "/api/v1/rules", "").Body.String())
		assert.JSONEq(t, `{"status":"success","data":{"alerts":[]}}`, ask(handler, "GET", "/api/v1/alerts", "").Body.String())
	}
}

func TestNotReady(t *testing.T) {
	api := newBackend(t).ours(t, func(o *promapi.Options) { o.Ready = func() bool { return false } })
	for _, target := range []string{"/api/v1/query?query=up", "/api/v1/labels", "/api/v1/status/tsdb"} {
		w := ask(api, "GET", target, "")
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
		assert.Equal(t, "Service Unavailable", w.Body.String())
	}
	assert.Equal(t, http.StatusServiceUnavailable, ask(api, "POST", "/api/v1/write", "").Code)
}

func TestMissingOptions(t *testing.T) {
	_, err := promapi.New(promapi.Options{})
	require.Error(t, err)
}
