package metricstoreexporter

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/prometheusreceiver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	promconfig "github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/scrape"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

// exposition has every kind of name and label that translation would change.
const exposition = `# HELP legacy_hits Counter without the suffix of counters.
# TYPE legacy_hits counter
legacy_hits{path="/"} 3
# HELP http_requests_total Counter.
# TYPE http_requests_total counter
http_requests_total{code="200",method="get"} 1027
http_requests_total{code="500",method="get"} 3
# TYPE job:rate:sum gauge
job:rate:sum 0.5
# TYPE disk_used_ratio gauge
disk_used_ratio{__odd="1",_under="2",double__under="3"} 0.25
# TYPE temperature gauge
temperature{exported_job="other",service_name="x"} -3
untyped_thing 4
# TYPE rpc_seconds histogram
rpc_seconds_bucket{le="0.05"} 1
rpc_seconds_bucket{le="1"} 2
rpc_seconds_bucket{le="1000000"} 3
rpc_seconds_bucket{le="+Inf"} 4
rpc_seconds_sum 5.5
rpc_seconds_count 4
# TYPE gc_seconds summary
gc_seconds{quantile="0"} 0.1
gc_seconds{quantile="0.5"} 0.2
gc_seconds{quantile="1"} 0.3
gc_seconds_sum 6
gc_seconds_count 20
# TYPE otelcol_thing gauge
otelcol_thing{otel_scope_name="io.scope",otel_scope_version="1.2",x="y"} 1
{"utf8.name","utf8.label"="ü"} 8
# HELP target_info Target.
# TYPE target_info gauge
target_info{service_version="2.0",telemetry_sdk_name="otel"} 1
`

const openMetrics = `# TYPE jobs counter
jobs_total{queue="a"} 5 # {trace_id="abc"} 1
# TYPE lag_seconds gauge
# UNIT lag_seconds seconds
lag_seconds 2
# EOF
`

// TestScrapedLikePrometheus scrapes one target by the prometheus receiver into this exporter, and by Prometheus'
// own scrape manager into a TSDB, and compares the series.
func TestScrapedLikePrometheus(t *testing.T) {
	for name, format := range map[string]struct{ contentType, body string }{
		"text":        {"text/plain; version=1.0.0; escaping=allow-utf-8", exposition},
		"OpenMetrics": {"application/openmetrics-text; version=1.0.0; charset=utf-8", openMetrics},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", format.contentType)
				_, _ = w.Write([]byte(format.body))
			}))
			defer target.Close()
			address := strings.TrimPrefix(target.URL, "http://")

			ours, theirs := newTestStore(t, nil), newTestStore(t, nil)
			scrapeByReceiver(t, ours, address)
			scrapeByPrometheus(t, theirs, address)
			want := seriesOf(t, theirs)
			assert.Equal(t, want, seriesOf(t, ours))
		})
	}
}

// TestScrapedMetadata keeps the type that the target declared, which OTLP cannot say of all.
func TestScrapedMetadata(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write([]byte(exposition))
	}))
	defer target.Close()
	store := newTestStore(t, nil)
	scrapeByReceiver(t, store, strings.TrimPrefix(target.URL, "http://"))
	got := store.metadata()
	assert.Equal(t, metadata.Metadata{Type: model.MetricTypeCounter, Help: "Counter without the suffix of counters."}, got["legacy_hits"])
	assert.Equal(t, model.MetricTypeUnknown, got["untyped_thing"].Type)
	assert.Equal(t, model.MetricTypeHistogram, got["rpc_seconds"].Type)
	assert.Equal(t, model.MetricTypeSummary, got["gc_seconds"].Type)
}

const scrapeConfig = `
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: ns/app
    static_configs: [{targets: ["ADDRESS"], labels: {dc: eu}}]
`

func scrapeByReceiver(t *testing.T, store *testStore, address string) {
	e := startExporter(t, store, nil)
	factory := prometheusreceiver.NewFactory()
	cfg := factory.CreateDefaultConfig()
	raw, err := confmap.NewRetrievedFromYAML([]byte("config:" + strings.ReplaceAll(strings.ReplaceAll(scrapeConfig, "ADDRESS", address), "\n", "\n  ")))
	require.NoError(t, err)
	conf, err := raw.AsConf()
	require.NoError(t, err)
	require.NoError(t, conf.Unmarshal(cfg))
	next, err := consumer.NewMetrics(e.consume)
	require.NoError(t, err)
	r, err := factory.CreateMetrics(context.Background(), receivertest.NewNopSettings(factory.Type()), cfg, next)
	require.NoError(t, err)
	require.NoError(t, r.Start(context.Background(), componenttest.NewNopHost()))
	waitForScrape(t, store)
	require.NoError(t, r.Shutdown(context.Background()))
}

func scrapeByPrometheus(t *testing.T, store *testStore, address string) {
	cfg, err := promconfig.Load(strings.ReplaceAll(scrapeConfig, "ADDRESS", address), promslog.NewNopLogger())
	require.NoError(t, err)
	m, err := scrape.NewManager(&scrape.Options{}, promslog.NewNopLogger(), nil, store.DB, prometheus.NewRegistry())
	require.NoError(t, err)
	require.NoError(t, m.ApplyConfig(cfg))
	targets := make(chan map[string][]*targetgroup.Group, 1)
	targets <- map[string][]*targetgroup.Group{"ns/app": {{
		Targets: []model.LabelSet{{model.AddressLabel: model.LabelValue(address)}}, Labels: model.LabelSet{"dc": "eu"}, Source: "0",
	}}}
	done := make(chan error, 1)
	go func() { done <- m.Run(targets) }()
	waitForScrape(t, store)
	m.Stop()
	require.NoError(t, <-done)
}

// ownSeries is how many series tell of a scrape. One that failed, as on a busy machine, has no others.
const ownSeries = 5

// waitForScrape waits until a scrape that did not fail is stored. Each is stored as a whole.
func waitForScrape(t *testing.T, store *testStore) {
	require.Eventually(t, func() bool { return len(seriesOf(t, store)) > ownSeries }, time.Minute, 10*time.Millisecond)
}

func seriesOf(t *testing.T, store *testStore) []string {
	var all []string
	for series := range dump(t, store) {
		all = append(all, series)
	}
	slices.Sort(all)
	return all
}
