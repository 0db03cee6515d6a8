package alertmanagerextension

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alertmanager"
	"github.com/quantivista/monitoring/internal/state"
)

func wanted() alertmanager.Silence {
	now := time.Now().UTC()
	return alertmanager.Silence{Matchers: []string{`alertname="Down"`, `env!~"dev|test"`}, StartsAt: now, EndsAt: now.Add(time.Hour), CreatedBy: "ada", Comment: "why"}
}

func TestSilencesByThePort(t *testing.T) {
	store := openStore(t, storePath(t))
	am := start(t, newWebhook(t).config(), store)
	made, err := am.SetSilence(t.Context(), wanted())
	require.NoError(t, err)
	assert.Equal(t, alertmanager.SilenceActive, made.State)
	assert.Equal(t, wanted().Matchers, made.Matchers)
	muting, err := am.Muted(t.Context(), map[string]string{"alertname": "Down", "env": "prod"})
	require.NoError(t, err)
	assert.Equal(t, []string{made.ID}, muting.Silences)

	longer := made
	longer.EndsAt = made.EndsAt.Add(time.Hour)
	changed, err := am.SetSilence(t.Context(), longer)
	require.NoError(t, err)
	assert.Equal(t, made.ID, changed.ID)
	assert.Equal(t, longer.EndsAt, changed.EndsAt)

	store.away.Store(true)
	_, err = am.SetSilence(t.Context(), wanted())
	require.ErrorIs(t, err, state.ErrUnavailable)
	require.ErrorIs(t, am.ExpireSilence(t.Context(), made.ID), state.ErrUnavailable)
	kept, err := am.Silence(t.Context(), made.ID)
	require.NoError(t, err)
	assert.Equal(t, alertmanager.SilenceActive, kept.State, "what cannot be stored is undone")
	store.away.Store(false)

	require.NoError(t, am.ExpireSilence(t.Context(), made.ID))
	later := wanted()
	later.StartsAt = later.StartsAt.Add(30 * time.Minute)
	pending, err := am.SetSilence(t.Context(), later)
	require.NoError(t, err)
	assert.Equal(t, alertmanager.SilencePending, pending.State)
	all, err := am.Silences(t.Context())
	require.NoError(t, err)
	states := map[string]alertmanager.SilenceState{}
	for _, s := range all {
		states[s.ID] = s.State
	}
	assert.Equal(t, alertmanager.SilenceExpired, states[made.ID])
	assert.Equal(t, pending.ID, all[0].ID, "it ends last")
	require.ErrorIs(t, am.ExpireSilence(t.Context(), "unknown"), state.ErrNotFound)
	_, err = am.Silence(t.Context(), "unknown")
	require.ErrorIs(t, err, state.ErrNotFound)
	unknown := wanted()
	unknown.ID = "unknown"
	_, err = am.SetSilence(t.Context(), unknown)
	require.ErrorIs(t, err, state.ErrNotFound)
}

func TestAnInvalidSilenceNamesItsField(t *testing.T) {
	am := start(t, newWebhook(t).config(), nil)
	for field, change := range map[string]func(*alertmanager.Silence){
		"matchers[1]": func(s *alertmanager.Silence) { s.Matchers[1] = `env=~"("` },
		"matchers":    func(s *alertmanager.Silence) { s.Matchers = []string{`env=~".*"`} },
		"endsAt":      func(s *alertmanager.Silence) { s.EndsAt = s.StartsAt },
		"comment":     func(s *alertmanager.Silence) { s.Comment = "" },
	} {
		s := wanted()
		change(&s)
		_, err := am.SetSilence(t.Context(), s)
		var fault *alertmanager.FieldError
		require.ErrorAs(t, err, &fault, field)
		assert.Equal(t, field, fault.Field)
	}
}

func TestDecide(t *testing.T) {
	hook := newWebhook(t)
	am := start(t, `
route:
  receiver: hook
  group_by: [alertname]
  group_wait: 1ms
  group_interval: 1h
  routes:
  - {matchers: [kind=nightly], receiver: hook, mute_time_intervals: [always], continue: true}
  - {matchers: [kind=nightly], receiver: nobody, active_time_intervals: [never], group_wait: 2h, group_by: [...]}
time_intervals:
- {name: always, time_intervals: [{weekdays: ["sunday:saturday"]}]}
- {name: never, time_intervals: [{years: ["1999"]}]}
receivers: [{name: nobody}, {name: hook, webhook_configs: [{url: "`+hook.url+`"}]}]`, openStore(t, storePath(t)))
	require.NoError(t, am.Put(t.Context(), firing("Down")))
	hook.next(t)
	require.Eventually(t, func() bool {
		d, err := am.Decide(t.Context(), firing("Down").Labels)
		require.NoError(t, err)
		require.Len(t, d.Routes, 1)
		return len(d.Routes[0].Told) == 1
	}, patience, time.Millisecond, "the log is written behind the message")
	d, err := am.Decide(t.Context(), firing("Down").Labels)
	require.NoError(t, err)
	r := d.Routes[0]
	assert.Equal(t, []any{true, "{}", "hook", `{}:{alertname="Down"}`, map[string]string{"alertname": "Down"}, 1, true},
		[]any{d.Held, r.Path, r.Receiver, r.GroupKey, r.GroupLabels, r.Integrations, r.Told[0].Firing})
	assert.WithinDuration(t, time.Now().Add(time.Hour), r.NextTurn, time.Minute)

	nightly := firing("Backup", "kind", "nightly")
	nightly.StartsAt = time.Now()
	require.NoError(t, am.Put(t.Context(), nightly))
	d, err = am.Decide(t.Context(), nightly.Labels)
	require.NoError(t, err)
	require.Len(t, d.Routes, 2)
	assert.Equal(t, []string{"always"}, d.Routes[0].MutedBy)
	assert.Equal(t, []string{"never"}, d.Routes[1].OutsideOf)
	assert.Equal(t, `{}/{kind="nightly"}:{alertname="Backup", kind="nightly"}`, d.Routes[1].GroupKey)
	assert.WithinDuration(t, time.Now().Add(2*time.Hour), d.Routes[1].NextTurn, time.Minute)
	assert.Zero(t, d.Routes[1].Integrations)

	d, err = am.Decide(t.Context(), firing("Unknown").Labels)
	require.NoError(t, err)
	assert.False(t, d.Held)
	assert.Zero(t, d.Routes[0].NextTurn)
}

func TestATestNotification(t *testing.T) {
	hook := newWebhook(t)
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "hunter2", http.StatusForbidden) }))
	t.Cleanup(broken.Close)
	am := start(t, `
route: {receiver: nobody}
receivers:
- {name: nobody}
- {name: spare, webhook_configs: [{url: "`+hook.url+`"}, {url: "`+broken.URL+`/hunter2", http_config: {authorization: {credentials: hunter2}}}]}`, openStore(t, storePath(t)))
	outcomes, err := am.Test(t.Context(), "spare")
	require.NoError(t, err)
	require.Len(t, outcomes, 2)
	assert.Empty(t, outcomes[0].Reason)
	assert.Equal(t, "unexpected status code 403: <secret>", outcomes[1].Reason)
	assert.Equal(t, "firing TestNotification", hook.next(t).names())
	_, err = am.Test(t.Context(), "unknown")
	require.ErrorIs(t, err, state.ErrNotFound)
}

func TestNothingIsAnsweredBeforeTheStateIsThere(t *testing.T) {
	store := openStore(t, storePath(t))
	store.away.Store(true)
	am := start(t, newWebhook(t).config(), store)
	_, err := am.Silences(t.Context())
	require.ErrorIs(t, err, alertmanager.ErrNotReady)
	_, err = am.Silence(t.Context(), "x")
	require.ErrorIs(t, err, alertmanager.ErrNotReady)
	_, err = am.SetSilence(t.Context(), wanted())
	require.ErrorIs(t, err, alertmanager.ErrNotReady)
	require.ErrorIs(t, am.ExpireSilence(t.Context(), "x"), alertmanager.ErrNotReady)
	_, err = am.Decide(t.Context(), nil)
	require.ErrorIs(t, err, alertmanager.ErrNotReady)
	_, err = am.Test(t.Context(), "hook")
	require.ErrorIs(t, err, alertmanager.ErrNotReady)
	_, err = alertmanager.MutingBy(am)(context.Background(), time.Now())
	require.ErrorIs(t, err, state.ErrUnavailable)
}
