package custommetricsreceiver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/extensions/monitoringapiextension"
	"github.com/quantivista/monitoring/internal/problem"
	"github.com/quantivista/monitoring/receivers/custommetricsreceiver/internal/metadata"
)

var now = time.Date(2025, 6, 20, 15, 8, 23, 0, time.UTC)

type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

// server stands for the monitoring_api extension: requests are given by post.
type server struct {
	component.StartFunc
	component.ShutdownFunc
	handler monitoringapiextension.CustomMetricsHandler
	refuse  error
}

func (s *server) HandleCustomMetrics(_ component.ID, handler monitoringapiextension.CustomMetricsHandler) (func(), error) {
	if s.refuse != nil {
		return nil, s.refuse
	}
	s.handler = handler
	return func() { s.handler = nil }, nil
}

// post hands over a request as the extension does once it has checked it against the document.
func (s *server) post(t testing.TB, body string) error {
	t.Helper()
	var request api.CustomMetrics
	require.NoError(t, json.Unmarshal([]byte(body), &request))
	return s.handler(t.Context(), request)
}

// start runs a receiver in front of a consumer.
func start(t testing.TB, next consumer.Metrics) (*customMetrics, *server) {
	t.Helper()
	r, err := newReceiver(createDefaultConfig().(*Config), receivertest.NewNopSettings(metadata.Type), next)
	require.NoError(t, err)
	r.now = func() time.Time { return now }
	s := &server{}
	require.NoError(t, r.Start(t.Context(), host{component.MustNewID("monitoring_api"): s}))
	t.Cleanup(func() { require.NoError(t, r.Shutdown(context.Background())) })
	return r, s
}

// written lists the data points as "name{attribute=value} value time", with those of the resource before.
func written(all ...pmetric.Metrics) []string {
	var lines []string
	for _, md := range all {
		for _, rm := range md.ResourceMetrics().All() {
			for _, sm := range rm.ScopeMetrics().All() {
				for _, m := range sm.Metrics().All() {
					for _, dp := range m.Gauge().DataPoints().All() {
						lines = append(lines, fmt.Sprint(rm.Resource().Attributes().AsRaw(), " ", m.Name(), dp.Attributes().AsRaw(), " ",
							dp.DoubleValue(), " ", dp.Timestamp().AsTime().Format(time.RFC3339)))
					}
				}
			}
		}
	}
	return lines
}

func TestMetricsReachThePipeline(t *testing.T) {
	sink := &consumertest.MetricsSink{}
	_, s := start(t, sink)
	require.NoError(t, s.post(t, `{"metrics":[
		{"name":"cpu_usage_percent","value":78.5,"labels":{"host":"a","empty":""},"timestamp":"2025-06-20T15:00:00+01:00"},
		{"name":"a:b","value":1},
		{"name":"cpu_usage_percent","value":70,"labels":{"host":"a"},"timestamp":"2025-06-20T13:00:00Z"},
		{"name":"up","value":0,"labels":{"job":"shop","instance":"one","zone":"z"}}]}`))
	require.Len(t, sink.AllMetrics(), 1, "one request is one batch")
	assert.Equal(t, []string{
		"map[] cpu_usage_percentmap[host:a] 70 2025-06-20T13:00:00Z",
		"map[] cpu_usage_percentmap[host:a] 78.5 2025-06-20T14:00:00Z",
		"map[] a:bmap[] 1 2025-06-20T15:08:23Z",
		"map[service.instance.id:one service.name:shop] upmap[zone:z] 0 2025-06-20T15:08:23Z",
	}, written(sink.AllMetrics()...))

	metric := sink.AllMetrics()[0].ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0)
	assert.Equal(t, map[string]any{"prometheus.type": "unknown"}, metric.Metadata().AsRaw())
}

func TestNoMetricsAreNoBatch(t *testing.T) {
	sink := &consumertest.MetricsSink{}
	_, s := start(t, sink)
	require.NoError(t, s.post(t, `{"metrics":[]}`))
	assert.Empty(t, sink.AllMetrics())
}

func TestInvalidMetricsRefuseTheRequest(t *testing.T) {
	tests := map[string]struct{ metric, field, detail string }{
		"empty name":         {`{"name":"","value":1}`, "metrics[1].name", "must match"},
		"name with a dot":    {`{"name":"cpu.usage","value":1}`, "metrics[1].name", `is "cpu.usage"`},
		"name with a digit":  {`{"name":"1cpu","value":1}`, "metrics[1].name", "must match"},
		"long name":          {`{"name":"` + strings.Repeat("ä", 1000) + `","value":1}`, "metrics[1].name", "…"},
		"reserved label":     {`{"name":"a","value":1,"labels":{"__foo":"x"}}`, "metrics[1].labels.__foo", "must not begin with __"},
		"the name as label":  {`{"name":"a","value":1,"labels":{"__name__":"x"}}`, "metrics[1].labels.__name__", "must not begin with __"},
		"label with a dash":  {`{"name":"a","value":1,"labels":{"a-b":"x"}}`, "metrics[1].labels.a-b", "must match"},
		"label with a colon": {`{"name":"a","value":1,"labels":{"a:b":"x"}}`, "metrics[1].labels.a:b", "must match"},
		"label without name": {`{"name":"a","value":1,"labels":{"":"x"}}`, "metrics[1].labels.", "must match"},
		"the future":         {`{"name":"a","value":1,"timestamp":"2025-06-20T15:18:24Z"}`, "metrics[1].timestamp", "in the future"},
		"before 1970":        {`{"name":"a","value":1,"timestamp":"1969-12-31T23:59:59Z"}`, "metrics[1].timestamp", "before 1970"},
		"another value":      {`{"name":"ok","value":2}`, "metrics[1]", "of metrics[0], but another value"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			sink := &consumertest.MetricsSink{}
			_, s := start(t, sink)
			err := s.post(t, `{"metrics":[{"name":"ok","value":1},`+tt.metric+`]}`)
			d := asProblem(t, err)
			assert.Equal(t, http.StatusBadRequest, d.Status)
			require.Len(t, d.Errors, 1)
			assert.Equal(t, tt.field, d.Errors[0].Field)
			assert.Contains(t, d.Errors[0].Detail, tt.detail)
			assert.Less(t, len(d.Detail), 1000)
			assert.Empty(t, sink.AllMetrics())
		})
	}
}

func TestValuesMustBeFinite(t *testing.T) {
	zero := 0.0
	for _, v := range []float64{1 / zero, -1 / zero, zero / zero} {
		_, faults := check([]api.CustomMetric{{Name: "a", Value: v}}, now)
		require.Len(t, faults, 1)
		assert.Equal(t, "metrics[0].value", faults[0].Field)
	}
}

func TestEdgesAreTaken(t *testing.T) {
	sink := &consumertest.MetricsSink{}
	_, s := start(t, sink)
	require.NoError(t, s.post(t, `{"metrics":[
		{"name":"a","value":1,"timestamp":"2025-06-20T15:18:23Z"},
		{"name":"a","value":1,"timestamp":"1970-01-01T00:00:00Z"},
		{"name":"a","value":1,"timestamp":"1970-01-01T00:00:00Z"},
		{"name":"_:","value":1.7976931348623157e308,"labels":{"_":"\u0000 ü"}}]}`))
	assert.Equal(t, 4, sink.DataPointCount())
}

func TestTooManyMetrics(t *testing.T) {
	sink := &consumertest.MetricsSink{}
	r, s := start(t, sink)
	r.cfg.MaxMetricsPerRequest = 1
	d := asProblem(t, s.post(t, `{"metrics":[{"name":"a","value":1},{"name":"b","value":1}]}`))
	assert.Equal(t, http.StatusRequestEntityTooLarge, d.Status)
	assert.Equal(t, "metrics", d.Errors[0].Field)
	assert.Empty(t, sink.AllMetrics())
}

func asProblem(t *testing.T, err error) *problem.Error {
	t.Helper()
	var d *problem.Error
	require.ErrorAs(t, err, &d)
	return d
}

func TestRefusalsOfThePipeline(t *testing.T) {
	tests := map[string]struct {
		err        error
		status     int
		retryAfter time.Duration
	}{
		"full queue": {errors.New("sending queue is full"), http.StatusServiceUnavailable, retryAfter},
		"permanent":  {consumererror.NewPermanent(errors.New("out of order")), http.StatusUnprocessableEntity, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, s := start(t, consumertest.NewErr(tt.err))
			d := asProblem(t, s.post(t, `{"metrics":[{"name":"a","value":1}]}`))
			assert.Equal(t, tt.status, d.Status)
			assert.Equal(t, tt.retryAfter, d.RetryAfter)
			assert.Contains(t, d.Detail, tt.err.Error())
		})
	}
}

func TestPointsAreCounted(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	set := receivertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	refuse := errors.New("full")
	next, err := consumer.NewMetrics(func(_ context.Context, md pmetric.Metrics) error {
		if md.DataPointCount() > 1 {
			return refuse
		}
		return nil
	})
	require.NoError(t, err)
	r, err := newReceiver(createDefaultConfig().(*Config), set, next)
	require.NoError(t, err)
	one := api.CustomMetric{Name: "a", Value: 1}
	require.NoError(t, r.take(t.Context(), api.CustomMetrics{Metrics: []api.CustomMetric{one}}))
	require.Error(t, r.take(t.Context(), api.CustomMetrics{Metrics: []api.CustomMetric{one, one, one}}))
	for name, want := range map[string]int64{"otelcol_receiver_accepted_metric_points": 1, "otelcol_receiver_refused_metric_points": 3} {
		got, err := telemetry.GetMetric(name)
		require.NoError(t, err)
		var sum int64
		for _, point := range got.Data.(metricdata.Sum[int64]).DataPoints {
			sum += point.Value
		}
		assert.Equal(t, want, sum, name)
	}
	require.NoError(t, r.Shutdown(t.Context()))
	require.NoError(t, telemetry.Shutdown(t.Context()))
}

func TestStartErrors(t *testing.T) {
	r, err := newReceiver(createDefaultConfig().(*Config), receivertest.NewNopSettings(metadata.Type), consumertest.NewNop())
	require.NoError(t, err)
	require.ErrorContains(t, r.Start(t.Context(), host{}), `"api": extension "monitoring_api" is not running`)
	taken := errors.New("taken")
	require.ErrorIs(t, r.Start(t.Context(), host{component.MustNewID("monitoring_api"): &server{refuse: taken}}), taken)
	require.NoError(t, r.Shutdown(t.Context()))
	require.NoError(t, r.Shutdown(t.Context()))
}

// blocking is a pipeline that takes metrics when it is told to, or never.
type blocking struct{ entered, release chan struct{} }

func (b blocking) consumer(t *testing.T) consumer.Metrics {
	t.Helper()
	next, err := consumer.NewMetrics(func(ctx context.Context, _ pmetric.Metrics) error {
		close(b.entered)
		select {
		case <-b.release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	require.NoError(t, err)
	return next
}

func TestShutdownWaitsForRequests(t *testing.T) {
	b := blocking{make(chan struct{}), make(chan struct{})}
	r, s := start(t, b.consumer(t))
	handler := s.handler
	results := make(chan error, 1)
	go func() {
		results <- s.handler(t.Context(), api.CustomMetrics{Metrics: []api.CustomMetric{{Name: "a", Value: 1}}})
	}()
	<-b.entered
	stopped := make(chan error, 1)
	go func() { stopped <- r.Shutdown(context.Background()) }()
	close(b.release)
	require.NoError(t, <-results)
	require.NoError(t, <-stopped)
	assert.Nil(t, s.handler, "the receiver is detached")
	assert.Equal(t, http.StatusServiceUnavailable, asProblem(t, handler(t.Context(), api.CustomMetrics{})).Status)
}

func TestShutdownCancelsRequestsAtItsDeadline(t *testing.T) {
	b := blocking{make(chan struct{}), make(chan struct{})}
	r, s := start(t, b.consumer(t))
	results := make(chan error, 1)
	go func() {
		results <- s.handler(t.Context(), api.CustomMetrics{Metrics: []api.CustomMetric{{Name: "a", Value: 1}}})
	}()
	<-b.entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, r.Shutdown(ctx))
	require.Error(t, <-results)
}

func FuzzCheck(f *testing.F) {
	f.Add("a", 1.0, "x", "y", int64(0))
	f.Add("", -1e-308, "__x", "", int64(-1))
	f.Add("a:b\xff", 1e308, "job", "\x00", int64(1)<<62)
	f.Fuzz(func(t *testing.T, name string, value float64, label, text string, unix int64) {
		labels := map[string]string{label: text}
		at := time.Unix(unix, 0)
		points, faults := check([]api.CustomMetric{{Name: name, Value: value, Labels: &labels, Timestamp: &at}}, now)
		if (len(points) == 1) == (len(faults) > 0) {
			t.Fatalf("%d points and faults %v", len(points), faults)
		}
		if len(points) == 0 {
			return
		}
		md := convert(points)
		if md.DataPointCount() != 1 {
			t.Fatalf("%d data points", md.DataPointCount())
		}
		m := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0)
		if m.Name() != name || m.Gauge().DataPoints().At(0).Timestamp().AsTime().Unix() != unix {
			t.Fatalf("%q at %d became %v", name, unix, written(md))
		}
	})
}
