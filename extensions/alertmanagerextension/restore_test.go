package alertmanagerextension

import (
	"context"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alertmanager"
)

func storePath(t *testing.T) string { return filepath.Join(t.TempDir(), "state.db") }

// TestARestartTellsWhatHappenedMeanwhile has alerts of every history before a restart. After it nobody is told again
// what they know, and everybody what they do not.
func TestARestartTellsWhatHappenedMeanwhile(t *testing.T) {
	hook := newWebhook(t)
	store := openStore(t, storePath(t))
	text := hook.config("inhibit_rules: [{source_matchers: [alertname=Source], target_matchers: [alertname=Target]}]")
	am := start(t, text, store)
	source, goesOn, ends, inDispute := firing("Source"), firing("GoesOn"), firing("Ends"), firing("InDispute")
	for _, a := range []string{"Source", "GoesOn", "Ends", "InDispute"} {
		require.NoError(t, am.Put(t.Context(), firing(a)))
		assert.Equal(t, "firing "+a, hook.next(t).names())
	}
	require.NoError(t, am.Put(t.Context(), ended(inDispute)))
	assert.Equal(t, "resolved InDispute", hook.next(t).names())
	silenced := am.silence(t, "Silenced")
	// The end of InDispute was told, and did not reach the store.
	store.intake(t, source, goesOn, ends, inDispute, firing("Silenced"))
	require.NoError(t, am.Shutdown(context.Background()))

	store.intake(t, ended(ends), firing("Target"), firing("New"))
	am = start(t, text, store)
	told := map[string]bool{hook.next(t).names(): true, hook.next(t).names(): true}
	assert.Equal(t, map[string]bool{"resolved Ends": true, "firing New": true}, told)
	assert.Equal(t, "active", am.states(t)[silenced])

	// One more shows that nothing else was on its way: each group has had its turn by then.
	require.NoError(t, am.Put(t.Context(), firing("Last")))
	assert.Equal(t, "firing Last", hook.next(t).names())
	assert.Empty(t, hook.messages)
}

func TestReplicasShareSilencesAndNotifications(t *testing.T) {
	hook := newWebhook(t)
	path := storePath(t)
	one, other := start(t, hook.config(), openStore(t, path)), start(t, hook.config(), openStore(t, path))
	id := one.silence(t, "Silenced")
	require.Eventually(t, func() bool { return other.states(t)[id] == "active" }, patience, time.Millisecond)
	code, body := other.request(http.MethodDelete, "/api/v2/silence/"+id, "")
	require.Equal(t, http.StatusOK, code, body)
	require.Eventually(t, func() bool { return one.states(t)[id] == "expired" }, patience, time.Millisecond)

	require.NoError(t, one.Put(t.Context(), firing("Down")))
	hook.next(t)
	require.Eventually(t, func() bool {
		told, err := notified(other.engine.Notifications())
		require.NoError(t, err)
		return told.unresolved[logHash(firing("Down").Labels)]
	}, patience, time.Millisecond)
	require.NoError(t, other.Put(t.Context(), firing("Down"), firing("Last")))
	assert.Equal(t, "firing Last", hook.next(t).names())
}

func TestASilenceThatCannotBeStoredIsUndone(t *testing.T) {
	hook := newWebhook(t)
	store := openStore(t, storePath(t))
	am := start(t, hook.config(), store)
	id := am.silence(t, "Stored")

	store.away.Store(true)
	code, body := am.request(http.MethodPost, "/api/v2/silences", silenceBody("Lost"))
	assert.Equal(t, http.StatusServiceUnavailable, code)
	assert.Contains(t, body, "the silence was not changed, since it cannot be stored for now: the state store is not available")
	code, _ = am.request(http.MethodDelete, "/api/v2/silence/"+id, "")
	assert.Equal(t, http.StatusServiceUnavailable, code)
	code, _ = am.request(http.MethodPost, "/api/v2/silences", `{"matchers": []}`)
	assert.Equal(t, http.StatusUnprocessableEntity, code, "what is refused needs no store")
	muting, err := am.Muted(t.Context(), firing("Lost").Labels)
	require.NoError(t, err)
	assert.False(t, muting.Muted())
	assert.Equal(t, "active", am.states(t)[id])

	store.away.Store(false)
	code, body = am.request(http.MethodDelete, "/api/v2/silence/"+id, "")
	require.Equal(t, http.StatusOK, code, body)
	entries, _, err := store.EntriesSince(t.Context(), 0)
	require.NoError(t, err)
	require.Len(t, entries, 1, "what was undone is not stored later")
	assert.Equal(t, id, entries[0].Key)
}

func TestNotificationsAreStoredOnceTheStoreIsBack(t *testing.T) {
	hook := newWebhook(t)
	store := openStore(t, storePath(t))
	am := start(t, hook.config(), store)
	store.away.Store(true)
	require.NoError(t, am.Put(t.Context(), firing("Down")))
	assert.Equal(t, "firing Down", hook.next(t).names(), "an outage of the store keeps nobody from being told")
	store.away.Store(false)
	require.Eventually(t, func() bool {
		entries, _, err := store.EntriesSince(t.Context(), 0)
		require.NoError(t, err)
		return len(entries) == 1 && entries[0].Kind == alertmanager.KindNotification
	}, patience, time.Millisecond)
}

func TestAStartWaitsForTheStore(t *testing.T) {
	hook := newWebhook(t)
	store := openStore(t, storePath(t))
	store.intake(t, firing("Down"))
	store.away.Store(true)
	am := start(t, hook.config(), store)
	require.ErrorIs(t, am.Put(t.Context(), firing("Down")), alertmanager.ErrNotReady)
	store.away.Store(false)
	assert.Equal(t, "firing Down", hook.next(t).names())
	require.NoError(t, am.Put(t.Context(), firing("Down")))
}

func TestAStartDoesNotWaitForEver(t *testing.T) {
	hook := newWebhook(t)
	store := openStore(t, storePath(t))
	store.away.Store(true)
	am := start(t, hook.config(), store, func(c *Config) { c.RestoreTimeout = time.Millisecond })
	require.Eventually(t, func() bool { return am.Put(t.Context(), firing("Down")) == nil }, patience, time.Millisecond)
	assert.Equal(t, "firing Down", hook.next(t).names())
	store.intake(t, firing("Earlier"))
	store.away.Store(false)
	assert.Equal(t, "firing Earlier", hook.next(t).names(), "the state is read once the store is back")
}
