package incidentexporter

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/quantivista/monitoring/exporters/incidentexporter/internal/metadatatest"
	"github.com/quantivista/monitoring/extensions/metricstoreextension"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/metricstore"
	"github.com/quantivista/monitoring/internal/state"
)

var metricStoreID = component.MustNewID("metric_store")

// away is a metric store whose queries wait until somebody lets them go, and then fail; each tells when it begins.
type away struct {
	component.Component
	metricstore.Store

	asked chan struct{}
	let   chan error
}

func (a *away) Query(ctx context.Context, expr string, at time.Time) (metricstore.Result, error) {
	select {
	case a.asked <- struct{}{}:
	case <-ctx.Done():
	}
	select {
	case err := <-a.let:
		if err != nil {
			return metricstore.Result{}, err
		}
		return a.Store.Query(ctx, expr, at)
	case <-ctx.Done():
		return metricstore.Result{}, ctx.Err()
	}
}

// graphStore runs a real metric store in which one service calls the next.
func graphStore(t *testing.T, services ...string) component.Component {
	factory := metricstoreextension.NewFactory()
	cfg := factory.CreateDefaultConfig().(*metricstoreextension.Config)
	cfg.Directory = t.TempDir()
	ext, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, ext.Start(context.Background(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, ext.Shutdown(context.Background())) })
	appender := ext.(metricstore.Store).Appender(t.Context())
	for i := range services[1:] {
		series := labels.FromStrings("__name__", "traces_service_graph_request_total", "client", services[i], "server", services[i+1])
		_, err := appender.Append(0, series, time.Now().UnixMilli(), 5)
		require.NoError(t, err)
	}
	require.NoError(t, appender.Commit())
	return ext
}

// byGraph has the exporter go by a service graph that it reads often.
func byGraph(cfg *Config) {
	direct(cfg)
	graph := *createDefaultConfig().(*Config).ServiceGraph.GetOrInsertDefault()
	graph.RefreshInterval, graph.Timeout = 10*time.Millisecond, time.Hour
	cfg.ServiceGraph = configoptional.Some(graph)
}

// on is an alert of a service.
func on(service, name string) alert.Alert {
	a := firing(name, time.Now())
	a.Labels["service"] = service
	return a
}

// awaitEdges waits until so much of the graph is known.
func awaitEdges(t *testing.T, telemetry *componenttest.Telemetry, want int64) {
	t.Helper()
	require.Eventually(t, func() bool {
		m, err := telemetry.GetMetric("otelcol_exporter_incident_service_graph_edges")
		return err == nil && m.Data.(metricdata.Gauge[int64]).DataPoints[0].Value == want
	}, 10*time.Second, 10*time.Millisecond)
}

// observed gives settings whose telemetry and log can be looked at.
func observed(t *testing.T) (exporter.Settings, *componenttest.Telemetry, *observer.ObservedLogs) {
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	core, logs := observer.New(zapcore.InfoLevel)
	set := settings()
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	set.Logger = zap.New(core)
	return set, telemetry, logs
}

func TestAlertsGoUpstream(t *testing.T) {
	set, telemetry, _ := observed(t)
	store := openSQLite(t)
	e, stop := startBeside(t, map[component.ID]component.Component{metricStoreID: graphStore(t, "web", "api", "db")}, store, set, byGraph)
	defer stop()
	awaitEdges(t, telemetry, 2)
	require.NoError(t, e.ConsumeMetrics(t.Context(), metrics(t, on("db", "Full"))))
	require.NoError(t, e.ConsumeMetrics(t.Context(), metrics(t, on("web", "Slow"))))
	all := store.incidents(t)
	require.Len(t, all, 1)
	assert.Equal(t, []string{"db", "web"}, all[0].AffectedServices)
	timeline, err := store.Timeline(t.Context(), all[0].ID, state.Page{})
	require.NoError(t, err)
	assert.Equal(t, "Slow began to fire (upstream: web → api → db)", timeline.Events[2].Content)
	metadatatest.AssertEqualExporterIncidentAlertTransitions(t, telemetry, []metricdata.DataPoint[int64]{
		{Attributes: attribute.NewSet(attribute.String("transition", "fired")), Value: 2},
		{Attributes: attribute.NewSet(attribute.String("transition", "upstream")), Value: 1},
	}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

// A metric store that does not answer, or fails, holds no alert up. It is told once, and its graph is taken when it is back.
func TestNoAlertWaitsForTheServiceGraph(t *testing.T) {
	set, telemetry, logs := observed(t)
	broken := &away{Store: graphStore(t, "web", "db").(metricstore.Store), asked: make(chan struct{}), let: make(chan error)}
	store := openSQLite(t)
	e, stop := startBeside(t, map[component.ID]component.Component{metricStoreID: broken}, store, set, byGraph)
	defer stop()
	<-broken.asked // and not answered
	require.NoError(t, e.ConsumeMetrics(t.Context(), metrics(t, on("db", "Full"))))
	require.NoError(t, e.ConsumeMetrics(t.Context(), metrics(t, on("web", "Slow"))))
	assert.Len(t, store.incidents(t), 2, "correlated without the graph")

	for range 3 {
		broken.let <- errors.New("broken")
		<-broken.asked
	}
	metadatatest.AssertEqualExporterIncidentServiceGraphFailedReads(t, telemetry, []metricdata.DataPoint[int64]{{Value: 3}},
		metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	warnings := logs.FilterMessageSnippet("The service graph cannot be read").All()
	require.Len(t, warnings, 1)
	assert.Equal(t, "metric_store", warnings[0].ContextMap()["metric_store"])
	awaitEdges(t, telemetry, 0)

	broken.let <- nil
	<-broken.asked // the next time
	awaitEdges(t, telemetry, 1)
	assert.Equal(t, 1, logs.FilterMessage("The service graph can be read again").Len())
	broken.let <- errors.New("broken again")
	<-broken.asked
	elsewhere := on("web", "Slow")
	elsewhere.Labels["cluster"] = "eu"
	require.NoError(t, e.ConsumeMetrics(t.Context(), metrics(t, elsewhere)))
	for _, in := range store.incidents(t) {
		assert.Equal(t, map[bool]int{true: 2, false: 1}[in.Title == "Full on db"], in.AlertCount, "by what was read before")
	}
}

func TestServiceGraphTimesOut(t *testing.T) {
	set, telemetry, _ := observed(t)
	silent := &away{asked: make(chan struct{}), let: make(chan error)}
	_, stop := startBeside(t, map[component.ID]component.Component{metricStoreID: silent}, openSQLite(t), set, func(cfg *Config) {
		byGraph(cfg)
		cfg.ServiceGraph.Get().Timeout = time.Millisecond
	})
	<-silent.asked
	<-silent.asked
	stop()
	m, err := telemetry.GetMetric("otelcol_exporter_incident_service_graph_failed_reads")
	require.NoError(t, err)
	assert.Positive(t, m.Data.(metricdata.Sum[int64]).DataPoints[0].Value)
}

func TestOldServiceGraphIsForgotten(t *testing.T) {
	g := serviceGraph{cfg: &ServiceGraphConfig{Window: time.Hour}}
	assert.Nil(t, g.callees())
	g.known.Store(&knownGraph{at: time.Now().Add(-59 * time.Minute), callees: map[string][]string{"web": {"db"}}})
	assert.Equal(t, []string{"db"}, g.callees()("web"))
	g.known.Store(&knownGraph{at: time.Now().Add(-61 * time.Minute), callees: map[string][]string{"web": {"db"}}})
	assert.Nil(t, g.callees())
}

func TestMetricStoreOfTheServiceGraphMustBeThere(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	byGraph(cfg)
	e, err := NewFactory().CreateMetrics(t.Context(), settings(), cfg)
	require.NoError(t, err)
	err = e.Start(t.Context(), testHost{componenttest.NewNopHost(), map[component.ID]component.Component{cfg.SQLStore: openSQLite(t)}})
	require.ErrorContains(t, err, `"service_graph::metric_store": extension "metric_store" is not running`)
	require.NoError(t, e.Shutdown(context.Background()))
}
