package alertreceiver

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"pgregory.net/rapid"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/problem"
	"github.com/quantivista/monitoring/receivers/alertreceiver/internal/metadata"
)

func raise(t testing.TB, r *alertReceiver, body string) (alert.Record, error) {
	t.Helper()
	var definition api.AlertDefinition
	require.NoError(t, json.Unmarshal([]byte(body), &definition))
	return r.Raise(t.Context(), &definition, "ada")
}

func asProblem(t *testing.T, err error) *problem.Error {
	t.Helper()
	var d *problem.Error
	require.ErrorAs(t, err, &d)
	return d
}

func TestAlertIsRaised(t *testing.T) {
	p := &pipeline{}
	r := start(t, p)
	record, err := raise(t, r, `{"name":"BackupFailed","description":"It ended with an error","severity":"high","labels":{"service":"orders","empty":""},
		"annotations":{"runbook_url":"x"},"startsAt":"2025-06-20T15:00:00Z","expiresAt":"2025-06-20T16:00:00Z","generatorURL":"http://x"}`)
	require.NoError(t, err)
	assert.Equal(t, "stored", record.ID)
	want := alert.Alert{
		Labels:      map[string]string{"alertname": "BackupFailed", "service": "orders", "severity": "high"},
		Annotations: map[string]string{"description": "It ended with an error", "runbook_url": "x", "created_by": "ada"},
		Severity:    alert.High, Status: alert.Firing, StartsAt: now.Add(-8*time.Minute - 23*time.Second), UpdatedAt: now,
		ExpiresAt: now.Add(51*time.Minute + 37*time.Second), GeneratorURL: "http://x",
	}
	assert.Equal(t, []alert.Alert{want}, p.take())

	_, err = raise(t, r, `{"name":"A","severity":"info","labels":{"severity":"page","alertname":"A"}}`)
	require.NoError(t, err)
	least := p.take()[0]
	assert.Equal(t, map[string]string{"alertname": "A", "severity": "page"}, least.Labels, "who routes by page still does")
	assert.Equal(t, []any{alert.Info, now, time.Time{}}, []any{least.Severity, least.StartsAt, least.ExpiresAt})
}

func TestFaultsOfADefinition(t *testing.T) {
	for field, body := range map[string]string{
		"name":             `{"name":"","severity":"high"}`,
		"severity":         `{"name":"a","severity":"page"}`,
		"labels.__name__":  `{"name":"a","severity":"high","labels":{"__name__":"x"}}`,
		"labels.alertname": `{"name":"a","severity":"high","labels":{"alertname":"b"}}`,
		"labels.":          `{"name":"a","severity":"high","labels":{"":"b"}}`,
		"annotations.":     `{"name":"a","severity":"high","annotations":{"":"b"}}`,
		"startsAt":         `{"name":"a","severity":"high","startsAt":"2025-06-20T15:18:24Z"}`,
		"expiresAt":        `{"name":"a","severity":"high","expiresAt":"2025-06-20T15:08:23Z"}`,
		"body":             `{"name":"a","severity":"high","startsAt":"1969-12-31T23:59:59Z"}`,
	} {
		p := &pipeline{}
		_, err := raise(t, start(t, p), body)
		d := asProblem(t, err)
		assert.Equal(t, http.StatusBadRequest, d.Status, body)
		require.Len(t, d.Errors, 1, body)
		assert.Equal(t, field, d.Errors[0].Field, body)
		assert.Empty(t, p.take())
	}
}

func TestRefusalsOfThePipeline(t *testing.T) {
	for name, tt := range map[string]struct {
		next       *pipeline
		status     int
		retryAfter time.Duration
		detail     string
	}{
		"away":      {&pipeline{err: errors.New("store alerts: unavailable")}, http.StatusServiceUnavailable, retryAfter, "unavailable"},
		"permanent": {&pipeline{err: consumererror.NewPermanent(errors.New("conflict"))}, http.StatusUnprocessableEntity, 0, "conflict"},
		"batched":   {&pipeline{forget: true}, http.StatusInternalServerError, 0, "must lead to an \"incident\" exporter"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := raise(t, start(t, tt.next), `{"name":"a","severity":"high"}`)
			d := asProblem(t, err)
			assert.Equal(t, tt.status, d.Status)
			assert.Equal(t, tt.retryAfter, d.RetryAfter)
			assert.Contains(t, d.Detail, tt.detail)
		})
	}
}

// What is stored is stored, whatever another exporter of the pipeline says.
func TestStoredThoughAnotherExporterFails(t *testing.T) {
	stored := &pipeline{}
	next, err := consumer.NewMetrics(func(ctx context.Context, md pmetric.Metrics) error {
		return errors.Join(stored.ConsumeMetrics(ctx, md), errors.New("another is full"))
	})
	require.NoError(t, err)
	record, err := raise(t, start(t, next), `{"name":"a","severity":"high"}`)
	require.NoError(t, err)
	assert.Equal(t, "stored", record.ID)
}

func TestAStoppedReceiverIsUnavailable(t *testing.T) {
	r := start(t, &pipeline{})
	require.NoError(t, r.Shutdown(t.Context()))
	_, err := raise(t, r, `{"name":"a","severity":"high"}`)
	assert.Equal(t, http.StatusServiceUnavailable, asProblem(t, err).Status)
	w := post(t, r, `[{"labels":{"alertname":"a"}}]`)
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.Equal(t, "5", w.Header().Get("Retry-After"))
}

func TestShutdownWaitsForRequests(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	next, err := consumer.NewMetrics(func(context.Context, pmetric.Metrics) error {
		close(entered)
		<-release
		return nil
	})
	require.NoError(t, err)
	r := start(t, next)
	done := make(chan int, 1)
	go func() { done <- post(t, r, `[{"labels":{"alertname":"a"}}]`).Code }()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- r.Shutdown(context.Background()) }()
	select {
	case err := <-stopped:
		t.Fatalf("a request still runs, and Shutdown has returned: %v", err)
	default:
	}
	close(release)
	require.NoError(t, <-stopped)
	assert.Equal(t, http.StatusOK, <-done)
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

// TestWhatPassesCanBeSent checks that every definition is refused with its faults, or makes an alert that the codec takes.
func TestWhatPassesCanBeSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.MapOf(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"alertname", "severity", "__name__"})), rapid.String())
		moment := rapid.Custom(func(t *rapid.T) time.Time { return time.Unix(rapid.Int64Range(-1e10, 1e10).Draw(t, "unix"), 0) })
		definition := &api.AlertDefinition{Name: rapid.String().Draw(t, "name"), Severity: "high"}
		if rapid.Bool().Draw(t, "full") {
			definition.Labels, definition.Annotations = new(texts.Draw(t, "labels")), new(texts.Draw(t, "annotations"))
			definition.StartsAt, definition.ExpiresAt = new(moment.Draw(t, "startsAt")), new(moment.Draw(t, "expiresAt"))
			definition.Description, definition.GeneratorURL = new(rapid.String().Draw(t, "description")), new(rapid.String().Draw(t, "URL"))
		}
		a, faults := define(definition, "ada", now)
		if len(faults) > 0 {
			return
		}
		if err := a.Validate(); err != nil {
			t.Fatal(err)
		}
		if a.Name() != definition.Name || a.Labels["severity"] == "" {
			t.Fatalf("%q became %v", definition.Name, a.Labels)
		}
	})
}

// FuzzRaise takes any JSON, and wants a refusal or an alert.
func FuzzRaise(f *testing.F) {
	f.Add([]byte(`{"name":"a","severity":"high","labels":{"a":"b"},"expiresAt":"2035-06-20T15:08:23Z"}`))
	f.Add([]byte(`{"name":"\u0000","severity":"info","startsAt":"0001-01-01T00:00:00Z"}`))
	r := start(f, &pipeline{})
	f.Fuzz(func(t *testing.T, body []byte) {
		var definition api.AlertDefinition
		if json.Unmarshal(body, &definition) != nil {
			return
		}
		_, err := r.Raise(t.Context(), &definition, "ada")
		if err != nil && asProblem(t, err).Status >= http.StatusInternalServerError {
			t.Fatal(err)
		}
	})
}
