package monitoringapiextension

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/alertmanager"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/notification"
	"github.com/quantivista/monitoring/internal/state"
)

// memoryManager is an Alertmanager that keeps silences and answers what it is told to.
type memoryManager struct {
	echoManager
	silences []alertmanager.Silence
	decision alertmanager.Decision
	err      error
}

func (m *memoryManager) Silences(context.Context) ([]alertmanager.Silence, error) {
	return m.silences, m.err
}

func (m *memoryManager) Silence(_ context.Context, id string) (alertmanager.Silence, error) {
	for _, s := range m.silences {
		if s.ID == id {
			return s, nil
		}
	}
	return alertmanager.Silence{}, fmt.Errorf("silence %q: %w", id, state.ErrNotFound)
}

func (m *memoryManager) SetSilence(_ context.Context, s alertmanager.Silence) (alertmanager.Silence, error) {
	if m.err != nil {
		return s, m.err
	}
	s.ID, s.State, s.UpdatedAt = fmt.Sprintf("s%d", len(m.silences)), alertmanager.SilenceActive, s.StartsAt
	m.silences = append(m.silences, s)
	return s, nil
}

func (m *memoryManager) ExpireSilence(ctx context.Context, id string) error {
	_, err := m.Silence(ctx, id)
	for i := range m.silences {
		if m.silences[i].ID == id {
			m.silences[i].State = alertmanager.SilenceExpired
		}
	}
	return err
}

func (m *memoryManager) Decide(context.Context, map[string]string) (alertmanager.Decision, error) {
	return m.decision, m.err
}

func (m *memoryManager) Status() alertmanager.Status {
	return alertmanager.Status{Receivers: []alertmanager.Receiver{
		{Name: "pager", Used: true, Integrations: []alertmanager.Integration{{Type: "webhook", Index: 1, SendResolved: true}}}, {Name: "nobody"},
	}}
}

func (m *memoryManager) Test(_ context.Context, receiver string) ([]alertmanager.Outcome, error) {
	if receiver != "pager/1" {
		return nil, fmt.Errorf("receiver %q: %w", receiver, state.ErrNotFound)
	}
	return []alertmanager.Outcome{
		{Integration: alertmanager.Integration{Type: "webhook"}, Took: time.Second},
		{Integration: alertmanager.Integration{Type: "slack", Index: 1}, Took: time.Millisecond, Reason: "403"},
	}, nil
}

func startWithManager(t *testing.T) (base string, am *memoryManager, stored *testState) {
	t.Helper()
	am, stored = &memoryManager{}, newTestState(t)
	cfg := testConfig()
	cfg.SQLStore, cfg.Alertmanager = sqlStoreID, component.MustNewID("alertmanager")
	m := newExtension(cfg, nopSettings())
	require.NoError(t, m.Start(context.Background(), host{storeID: newTestStore(t, ""), sqlStoreID: stored, cfg.Alertmanager: am}))
	t.Cleanup(func() { require.NoError(t, m.Shutdown(context.Background())) })
	return "http://" + m.addr.String(), am, stored
}

func TestSilencesLife(t *testing.T) {
	base, am, _ := startWithManager(t)
	assert.JSONEq(t, "[]", get(t, base+"/api/v1/silences").body)
	const body = `{"matchers": ["a=\"b\""], "endsAt": "2126-01-01T00:00:00Z", "comment": "why"`
	made := sendJSON(t, http.MethodPost, base+"/api/v1/silences", body+`, "createdBy": "ada"}`, http.StatusCreated)
	s := decode[api.Silence](t, made)
	assert.Equal(t, []any{"s0", "ada", "why", "active", []string{`a="b"`}}, []any{s.ID, s.CreatedBy, s.Comment, string(s.State), s.Matchers})
	assert.WithinDuration(t, time.Now(), s.StartsAt, time.Minute)
	assert.JSONEq(t, made.body, get(t, base+made.header.Get("Location")).body)
	assert.Equal(t, http.StatusNoContent, do(t, http.MethodDelete, base+"/api/v1/silences/s0", "").status)
	for query, want := range map[string]int{"": 1, "?state=all": 1, "?state=expired": 1, "?state=active": 0} {
		assert.Len(t, decode[[]api.Silence](t, get(t, base+"/api/v1/silences"+query)), want, query)
	}
	assert.Equal(t, http.StatusBadRequest, get(t, base+"/api/v1/silences?state=odd").status)
	assert.Equal(t, http.StatusNotFound, get(t, base+"/api/v1/silences/s7").status)
	assert.Equal(t, http.StatusNotFound, do(t, http.MethodDelete, base+"/api/v1/silences/s7", "").status)
	got := sendJSON(t, http.MethodPost, base+"/api/v1/silences", `{"endsAt": "2126-01-01T00:00:00Z", "comment": "why"}`, http.StatusBadRequest)
	assert.Equal(t, "matchers", got.problem(t).Errors[0].Field)

	am.err = &alertmanager.FieldError{Field: "matchers[0]", Reason: "must be right"}
	got = sendJSON(t, http.MethodPost, base+"/api/v1/silences", body+"}", http.StatusBadRequest)
	assert.Equal(t, "matchers[0]", got.problem(t).Errors[0].Field)
	for _, err := range []error{alertmanager.ErrNotReady, state.ErrUnavailable} {
		am.err = err
		got = sendJSON(t, http.MethodPost, base+"/api/v1/silences", body+"}", http.StatusServiceUnavailable)
		assert.NotEmpty(t, got.header.Get("Retry-After"))
	}
}

func TestReceivers(t *testing.T) {
	base, _, _ := startWithManager(t)
	assert.JSONEq(t, `[{"name": "pager", "used": true, "integrations": [{"type": "webhook", "index": 1, "sendResolved": true}]},
		{"name": "nobody", "used": false, "integrations": []}]`, get(t, base+"/api/v1/receivers").body)
	assert.JSONEq(t, `[{"integration": "webhook", "index": 0, "sent": true, "took": "1s"},
		{"integration": "slack", "index": 1, "sent": false, "reason": "403", "took": "1ms"}]`,
		do(t, http.MethodPost, base+"/api/v1/receivers/pager%2F1/test", "").body)
	assert.Equal(t, http.StatusNotFound, do(t, http.MethodPost, base+"/api/v1/receivers/other/test", "").status)
}

func TestExplainAlert(t *testing.T) {
	base, am, stored := startWithManager(t)
	record := stored.intake(t, firingAlert("HighCpuUsage", 0, alert.High))[0]
	am.decision = alertmanager.Decision{Held: true, Muting: alertmanager.Muting{Silences: []string{"s1"}}, Routes: []alertmanager.Route{{
		Path: "{}", Receiver: "pager", GroupKey: "{}:{}", GroupInterval: time.Minute, Integrations: 1,
		Told: []alertmanager.Told{{Integration: alertmanager.Integration{Type: "webhook"}, At: time.Now(), Firing: true}},
	}}}
	n, err := stored.Begin(t.Context(), notification.Intent{
		Target: notification.Target{Receiver: "pager", Integration: "webhook", GroupKey: "{}:{}"}, Sender: "one", Lease: time.Minute,
		Content: notification.NewContent([]string{record.Fingerprint()}, nil),
	}, func(*notification.Notification) bool { return true })
	require.NoError(t, err)
	n.State, n.LeasedUntil, n.EndedAt = notification.Superseded, time.Time{}, time.Now()
	require.NoError(t, stored.End(t.Context(), n))
	got := decode[api.AlertExplanation](t, get(t, base+"/api/v1/alerts/"+record.ID+"/explain"))
	assert.Equal(t, "Nobody is told now: silence s1 matches it.", got.Summary)
	assert.Equal(t, []api.Mute{{Kind: api.MuteKindSilence, ID: "s1"}}, got.MutedBy)
	assert.Equal(t, "1m0s", got.Routes[0].GroupInterval)
	assert.True(t, got.Routes[0].Told[0].Firing)
	assert.Equal(t, []any{n.ID, "superseded", "firing"}, []any{got.Notifications[0].ID, string(got.Notifications[0].State), string(got.Notifications[0].Told)})

	am.err = alertmanager.ErrNotReady
	got = decode[api.AlertExplanation](t, get(t, base+"/api/v1/alerts/"+record.ID+"/explain"))
	assert.Equal(t, "Nobody is told: the Alertmanager is starting.", got.Summary)
	assert.Empty(t, got.Routes)
	assert.Nil(t, got.IncidentPath)
	assert.Equal(t, http.StatusNotFound, get(t, base+"/api/v1/alerts/"+unknownID+"/explain").status)

	am.err = nil
	require.NoError(t, stored.Write(t.Context(), func(ctx context.Context, tx incident.Tx) error {
		in, err := tx.CreateIncident(ctx, incident.Incident{Title: "Full", Severity: alert.High, Status: incident.Open, CreatedBy: incident.Author})
		if err != nil {
			return err
		}
		return errors.Join(tx.LinkAlerts(ctx, incident.Links{in.ID: {record.ID}}), tx.KeepPath(ctx, in.ID, []string{record.ID}, incident.Path{"web", "db"}))
	}))
	got = decode[api.AlertExplanation](t, get(t, base+"/api/v1/alerts/"+record.ID+"/explain"))
	assert.Equal(t, &[]string{"web", "db"}, got.IncidentPath)
	assert.Contains(t, got.Summary, "It is in the incident of db, which its service calls: web → db.")
}

func TestNotificationsNeedAnAlertmanager(t *testing.T) {
	base, _ := startWithState(t, "ann")
	for _, path := range []string{"/silences", "/silences/1", "/receivers"} {
		got := get(t, base+"/api/v1"+path)
		assert.Equal(t, http.StatusNotFound, got.status, path)
		assert.Contains(t, got.problem(t).Detail, `declare an "alertmanager" extension`)
	}
	assert.Equal(t, http.StatusNotFound, do(t, http.MethodPost, base+"/api/v1/receivers/pager/test", "").status)
}
