package alertmanagerextension

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/maintenance"
	"github.com/quantivista/monitoring/internal/notification"
	"github.com/quantivista/monitoring/internal/oncall"
)

// told gives the states of the notifications of an alert, the newest first.
func (s *testStore) states(t *testing.T, a alert.Alert) []notification.State {
	t.Helper()
	all, err := s.NotificationsOf(t.Context(), a.Fingerprint(), time.Time{}, 100)
	require.NoError(t, err)
	states := make([]notification.State, len(all))
	for i := range all {
		states[i] = all[i].State
	}
	return states
}

func fingerprint(name string) string {
	a := firing(name)
	return a.Fingerprint()
}

func TestTheLedgerTellsWhatWasSent(t *testing.T) {
	hook := newWebhook(t)
	store := openStore(t, storePath(t))
	am := start(t, hook.config(), store)
	require.NoError(t, am.Put(t.Context(), firing("Down")))
	hook.next(t)
	require.NoError(t, am.Put(t.Context(), ended(firing("Down"))))
	hook.next(t)
	require.NoError(t, am.Shutdown(context.Background()))
	assert.Equal(t, []notification.State{notification.Sent, notification.Sent}, store.states(t, firing("Down")))
	all, err := store.NotificationsOf(t.Context(), fingerprint("Down"), time.Time{}, 100)
	require.NoError(t, err)
	assert.Equal(t, notification.Target{Receiver: "hook", Integration: "webhook", GroupKey: `{}:{alertname="Down"}`}, all[0].Target)
	assert.Equal(t, []string{fingerprint("Down")}, all[0].Resolved)
}

// TestWhatWasSentIsNotSentAgain has a process die between the message and the notification log: the ledger knows.
func TestWhatWasSentIsNotSentAgain(t *testing.T) {
	hook := newWebhook(t)
	store := openStore(t, storePath(t))
	store.intake(t, firing("Down"))
	n, err := store.Begin(t.Context(), notification.Intent{
		Target:  notification.Target{Receiver: "hook", Integration: "webhook", GroupKey: `{}:{alertname="Down"}`},
		Content: notification.NewContent([]string{fingerprint("Down")}, nil), Sender: "dead", Lease: time.Minute,
	}, func(*notification.Notification) bool { return true })
	require.NoError(t, err)
	n.State, n.LeasedUntil, n.EndedAt = notification.Sent, time.Time{}, time.Now()
	require.NoError(t, store.End(t.Context(), n))
	am := start(t, hook.config(), store)
	require.NoError(t, am.Put(t.Context(), firing("Last")))
	assert.Equal(t, "firing Last", hook.next(t).names())
	require.NoError(t, am.Put(t.Context(), ended(firing("Down"))))
	assert.Equal(t, "resolved Down", hook.next(t).names(), "and its end is")
}

// TestAMessageInDoubtIsSentAgain has a process die while it sends.
func TestAMessageInDoubtIsSentAgain(t *testing.T) {
	hook := newWebhook(t)
	store := openStore(t, storePath(t))
	store.intake(t, firing("Down"), ended(firing("Brief")))
	for _, name := range []string{"Down", "Brief"} {
		_, err := store.Begin(t.Context(), notification.Intent{
			Target:  notification.Target{Receiver: "hook", Integration: "webhook", GroupKey: `{}:{alertname="` + name + `"}`},
			Content: notification.NewContent([]string{fingerprint(name)}, nil), Sender: "dead", Lease: time.Second,
		}, func(*notification.Notification) bool { return true })
		require.NoError(t, err)
	}
	am := start(t, hook.config(), store)
	told := map[string]bool{hook.next(t).names(): true, hook.next(t).names(): true}
	assert.Equal(t, map[string]bool{"firing Down": true, "resolved Brief": true}, told)
	require.NoError(t, am.Shutdown(context.Background()))
	all, err := store.NotificationsOf(t.Context(), fingerprint("Down"), time.Time{}, 100)
	require.NoError(t, err)
	require.Len(t, all, 1, "the same message")
	assert.Equal(t, 2, all[0].Attempts)
	assert.Equal(t, []notification.State{notification.Sent, notification.Superseded}, store.states(t, firing("Brief")))
}

// TestTheStoreIsFollowed has alerts be stored by somebody else.
func TestTheStoreIsFollowed(t *testing.T) {
	hook := newWebhook(t)
	store := openStore(t, storePath(t))
	am := start(t, hook.config(), store)
	store.intake(t, firing("Elsewhere"), ended(firing("Over")))
	assert.Equal(t, "firing Elsewhere", hook.next(t).names())
	store.intake(t, ended(firing("Elsewhere")))
	assert.Equal(t, "resolved Elsewhere", hook.next(t).names())
	require.NoError(t, am.Put(t.Context(), firing("Last")))
	assert.Equal(t, "firing Last", hook.next(t).names())
	assert.Empty(t, hook.messages)
}

func TestMaintenanceAndAcknowledgementsKeepQuiet(t *testing.T) {
	hook := newWebhook(t)
	store := openStore(t, storePath(t))
	am := start(t, "route: {receiver: hook, group_by: [alertname], group_wait: 1ms, group_interval: 50ms, repeat_interval: 50ms}\n"+
		"receivers: [{name: hook, webhook_configs: [{url: \""+hook.url+"\"}]}]\n", store)
	windows := maintenance.Desk{Store: store, Now: time.Now}
	w, err := windows.Create(t.Context(), "ann", maintenance.Definition{
		Name: "Patches", Matchers: []string{`alertname="Patched"`}, TimeZone: "UTC",
		StartsAt: time.Now().Add(-time.Minute), EndsAt: time.Now().Add(time.Hour),
	})
	require.NoError(t, err)
	store.intake(t, firing("Noted"))
	list, err := store.Alerts(t.Context(), alert.Query{})
	require.NoError(t, err)
	desk := oncall.Desk{Store: store}
	_, err = desk.AcknowledgeAlert(t.Context(), list.Alerts[0].ID, "ada", oncall.Note{By: "ada"})
	require.NoError(t, err)
	ack, err := (&incident.AcknowledgedAlerts{Reader: store, Now: time.Now}).Of(t.Context(), fingerprint("Noted"))
	require.NoError(t, err)
	require.NotNil(t, ack)

	require.NoError(t, am.Put(t.Context(), firing("Patched"), firing("Other")))
	for range 5 {
		assert.Contains(t, []string{"firing Other", "firing Noted"}, hook.next(t).names(), "an acknowledgement is known a second later at most")
	}
	_, err = windows.Cancel(t.Context(), w.ID, "ann", func(int64) error { return nil })
	require.NoError(t, err)
	require.Eventually(t, func() bool { return hook.next(t).names() == "firing Patched" }, patience, time.Millisecond)
	require.NoError(t, am.Put(t.Context(), ended(firing("Noted"))))
}
