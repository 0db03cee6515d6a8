package monitoringapiextension

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/evidence"
	"github.com/quantivista/monitoring/internal/incident"
)

// startCollecting runs the extension with both stores, and looks for evidence all the time.
func startCollecting(t *testing.T, store *testStore, configure func(*Config)) (base string, stored *testState) {
	t.Helper()
	stored = newTestState(t)
	cfg := testConfig()
	cfg.SQLStore = sqlStoreID
	cfg.Evidence.Interval, cfg.Evidence.FirstAfter, cfg.Evidence.AgainAfter = 10*time.Millisecond, 0, 20*time.Millisecond
	cfg.Evidence.RetryAfter, cfg.Evidence.Settle = 10*time.Millisecond, 0
	if configure != nil {
		configure(cfg)
	}
	require.NoError(t, cfg.Evidence.Validate())
	require.NoError(t, cfg.Evidence.Links.Validate())
	m := newExtension(cfg, nopSettings())
	require.NoError(t, m.Start(context.Background(), host{storeID: store, sqlStoreID: stored}))
	t.Cleanup(func() { require.NoError(t, m.Shutdown(context.Background())) })
	return "http://" + m.addr.String(), stored
}

// open opens an incident with an alert that a rule raised.
func (s *testState) open(t *testing.T) (id string) {
	t.Helper()
	title, err := incident.ParseTitle(incident.DefaultTitle)
	require.NoError(t, err)
	rules := incident.Correlation{Labels: incident.DefaultLabels(), MinSeverity: alert.Medium, Title: title}
	a := firingAlert("Slow", 0, alert.High)
	a.Labels = map[string]string{"alertname": "Slow", "service": "shop"}
	a.StartsAt, a.UpdatedAt = time.Now().Add(-time.Minute), time.Now()
	a.GeneratorURL = "http://localhost:8090/graph?g0.expr=errors+%3E+1"
	_, err = incident.NewCorrelator(s, rules, time.Now).Handle(t.Context(), []alert.Alert{a})
	require.NoError(t, err)
	list, err := s.Incidents(t.Context(), incident.Query{})
	require.NoError(t, err)
	return list.Incidents[0].ID
}

func TestEvidenceOfTheMetric(t *testing.T) {
	store := newTestStore(t, "")
	appendNow(t, store, 7, "__name__", "errors", "service", "shop")
	base, stored := startCollecting(t, store, func(cfg *Config) {
		cfg.Evidence.Links.Metric = "http://grafana/explore?q={{ .Query | urlquery }}"
	})
	id := stored.open(t)
	var got api.IncidentEvidence
	require.Eventually(t, func() bool {
		got = decode[api.IncidentEvidence](t, get(t, base+"/api/v1/incidents/"+id+"/evidence"))
		return len(got.Metrics) > 0 && len(got.Metrics[0].Series) > 0
	}, time.Minute, 10*time.Millisecond)
	assert.Equal(t, "errors > 1", got.Metrics[0].Expression)
	assert.Equal(t, "errors", *got.Metrics[0].Query)
	assert.Equal(t, ">", got.Metrics[0].Threshold.Op)
	assert.Equal(t, "shop", got.Metrics[0].Series[0].Labels["service"])
	assert.Equal(t, "http://grafana/explore?q=errors", *got.Metrics[0].Links.Metric)
	assert.Equal(t, api.IncidentEvidenceStateCollecting, got.State)
	require.Len(t, got.Sources, 1, "there is no Jaeger and no Loki")
	assert.Equal(t, api.Collected, got.Sources[0].State)

	told := decode[api.Incident](t, get(t, base+"/api/v1/incidents/"+id))
	assert.Equal(t, &api.EvidenceCounts{Metrics: 1}, told.Evidence)
	sendJSON(t, http.MethodPut, base+"/api/v1/incidents/"+id, `{"status":"resolved"}`, http.StatusOK)
	require.Eventually(t, func() bool {
		got = decode[api.IncidentEvidence](t, get(t, base+"/api/v1/incidents/"+id+"/evidence"))
		return got.State == api.IncidentEvidenceStateComplete
	}, time.Minute, 10*time.Millisecond)
	timeline := get(t, base+"/api/v1/incidents/"+id+"/timeline").body
	assert.Contains(t, timeline, "Evidence collected: 1 metric, 0 traces, 0 log patterns")
}

func TestJaegerIsAway(t *testing.T) {
	base, stored := startCollecting(t, newTestStore(t, ""), func(cfg *Config) {
		cfg.Jaeger.Endpoint, cfg.Jaeger.TLS.Insecure = "localhost:1", true
	})
	id := stored.open(t)
	var got api.IncidentEvidence
	require.Eventually(t, func() bool {
		got = decode[api.IncidentEvidence](t, get(t, base+"/api/v1/incidents/"+id+"/evidence"))
		return len(got.Sources) == 2
	}, time.Minute, 10*time.Millisecond)
	assert.Equal(t, api.EvidenceSourceName("traces"), got.Sources[1].Name)
	assert.Equal(t, api.Away, got.Sources[1].State)
	assert.Contains(t, *got.Sources[1].Reason, "Jaeger at localhost:1 cannot be reached")
}

func TestEvidenceFromLoki(t *testing.T) {
	base, stored := startCollecting(t, newTestStore(t, ""), askingLoki(t, map[string]string{
		"/loki/api/v1/query_range": `{"data":{"resultType":"streams","result":[{"stream":{"service_name":"shop","severity":"error"},"values":[
			["1750432103123456789","order 5 failed",{"structuredMetadata":{"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","pod":"p"}}],
			["1750432102123456789","order 4 failed",{}]]}]}}`,
	}))
	id := stored.open(t)
	var got api.IncidentEvidence
	require.Eventually(t, func() bool {
		got = decode[api.IncidentEvidence](t, get(t, base+"/api/v1/incidents/"+id+"/evidence"))
		return len(got.Logs) > 0
	}, time.Minute, 10*time.Millisecond)
	assert.Equal(t, "order <_> failed", got.Logs[0].Pattern)
	assert.Equal(t, 2, got.Logs[0].Count)
	assert.Equal(t, "error", *got.Logs[0].Severity)
	assert.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736", *got.Logs[0].TraceID)
	assert.Equal(t, "p", (*got.Logs[0].Labels)["pod"])
}

func TestGetEvidence(t *testing.T) {
	base, stored := startCollecting(t, newTestStore(t, ""), func(cfg *Config) {
		cfg.Evidence.Enabled = false
		cfg.Evidence.Links = EvidenceLinksConfig{Trace: "http://jaeger/trace/{{ .TraceID }}", Logs: "http://grafana/{{ .Service }}?{{ .Start.Unix }}"}
	})
	id := stored.open(t)
	got := decode[api.IncidentEvidence](t, get(t, base+"/api/v1/incidents/"+id+"/evidence"))
	assert.Equal(t, api.IncidentEvidence{
		IncidentID: id, State: api.IncidentEvidenceStatePending, Sources: []api.EvidenceSource{}, Metrics: []api.MetricEvidence{},
		Traces: []api.TraceEvidence{}, Logs: []api.LogEvidence{},
	}, got)
	assert.Nil(t, decode[api.Incident](t, get(t, base+"/api/v1/incidents/"+id)).Evidence)
	assert.Equal(t, http.StatusNotFound, get(t, base+"/api/v1/incidents/nothing/evidence").status)
	refused := get(t, base+"/api/v1/incidents/"+id+"/evidence?spans=some")
	assert.Equal(t, http.StatusBadRequest, refused.status)
	assert.Equal(t, "spans", refused.problem(t).Errors[0].Field)

	at := time.Unix(1_800_000_000, 0).UTC()
	_, err := stored.ClaimEvidence(t.Context(), id, "test", at, at.Add(time.Minute))
	require.NoError(t, err)
	require.NoError(t, stored.SaveEvidence(t.Context(), "test", &evidence.Collection{IncidentID: id, Stage: evidence.Ended, Start: at, End: at, CollectedAt: at}, &evidence.Evidence{
		Traces: []evidence.Trace{
			{TraceID: "a", Reason: evidence.Failed, Service: "shop", Spans: 2, Errors: 1, Kept: 1, Duration: 1500 * time.Millisecond, StartedAt: at,
				Failures: []evidence.Failure{{Service: "shop", Operation: "buy", Message: "no"}}, OTLP: json.RawMessage(`{"resourceSpans":[{"scopeSpans":[]}]}`)},
			{TraceID: "b", Reason: evidence.FromExemplar, Exemplar: &evidence.Exemplar{Series: "x_bucket", Value: 2, At: at}},
		},
		Logs: []evidence.LogPattern{{Service: "shop", Pattern: "order <_>", Count: 3, FirstSeen: at, LastSeen: at, Example: "order 5", TraceID: "a", Labels: map[string]string{"pod": "p"}}},
	}, time.Time{}, nil))
	got = decode[api.IncidentEvidence](t, get(t, base+"/api/v1/incidents/"+id+"/evidence"))
	assert.Equal(t, api.IncidentEvidenceStateComplete, got.State)
	assert.Nil(t, got.Traces[0].Otlp)
	assert.InDelta(t, 1.5, *got.Traces[0].DurationSeconds, 0)
	assert.Equal(t, []api.SpanFailure{{Service: "shop", Operation: "buy", Message: new("no")}}, *got.Traces[0].Failures)
	assert.Equal(t, "http://jaeger/trace/a", *got.Traces[0].Links.Trace)
	assert.Nil(t, got.Traces[1].Spans)
	assert.Equal(t, "x_bucket", got.Traces[1].Exemplar.Series)
	assert.Equal(t, "http://grafana/shop?1800000000", *got.Logs[0].Links.Logs)
	assert.Equal(t, "http://jaeger/trace/a", *got.Logs[0].Links.Trace)
	assert.Equal(t, map[string]string{"pod": "p"}, *got.Logs[0].Labels)
	got = decode[api.IncidentEvidence](t, get(t, base+"/api/v1/incidents/"+id+"/evidence?spans=true"))
	assert.Len(t, *got.Traces[0].Otlp.ResourceSpans, 1)
}
