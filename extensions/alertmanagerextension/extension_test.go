package alertmanagerextension

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/quantivista/monitoring/extensions/alertmanagerextension/internal/metadata"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/alertmanager"
)

func TestAnAlertFiresAndEnds(t *testing.T) {
	hook := newWebhook(t)
	am := start(t, hook.config(), nil)
	a := firing("Down", "ünïcode.näme", "yes")
	require.NoError(t, am.Put(t.Context(), a))
	first := hook.next(t)
	assert.Equal(t, "firing Down", first.names())
	assert.Equal(t, "yes", first.Alerts[0].Labels["ünïcode.näme"])

	require.NoError(t, am.Put(t.Context(), ended(a)))
	assert.Equal(t, "resolved Down", hook.next(t).names())
	require.NoError(t, am.Put(t.Context(), a), "a report from before the end is late")
	code, body := am.request(http.MethodGet, "/api/v2/alerts", "")
	assert.Equal(t, http.StatusOK, code)
	assert.Equal(t, "[]\n", body)
	assert.Empty(t, hook.messages)
}

func TestPutNamesWhatItCannotTake(t *testing.T) {
	hook := newWebhook(t)
	am := start(t, hook.config(), nil, func(c *Config) { c.Limits.Alerts = 1 })
	broken := firing("Broken")
	broken.Labels["alertname"] = "\xff"
	err := am.Put(t.Context(), broken, firing("Fine"))
	require.ErrorIs(t, err, alertmanager.ErrInvalid)
	assert.Equal(t, "firing Fine", hook.next(t).names())
	err = am.Put(t.Context(), firing("Another"))
	require.ErrorIs(t, err, alertmanager.ErrFull)
	assert.ErrorContains(t, err, `the limit is 1 ("limits::alerts")`)
	require.NoError(t, am.Put(t.Context(), firing("Fine")), "is known")
}

func TestMutedTellsWhy(t *testing.T) {
	hook := newWebhook(t)
	am := start(t, hook.config("inhibit_rules: [{source_matchers: [alertname=DataCenterDown], target_matchers: [severity=low], equal: [dc]}]"), nil)
	id := am.silence(t, "Silenced")
	source := firing("DataCenterDown", "dc", "1")
	require.NoError(t, am.Put(t.Context(), source))
	hook.next(t)

	ask := func(a alert.Alert) alertmanager.Muting {
		muting, err := am.Muted(t.Context(), a.Labels)
		require.NoError(t, err)
		return muting
	}
	assert.Equal(t, alertmanager.Muting{Silences: []string{id}}, ask(firing("Silenced")))
	require.Eventually(t, func() bool { return ask(firing("Slow", "severity", "low", "dc", "1")).Muted() }, patience, time.Millisecond)
	assert.Equal(t, alertmanager.Muting{Inhibitors: []string{source.Fingerprint()}}, ask(firing("Slow", "severity", "low", "dc", "1")))
	assert.False(t, ask(firing("Slow", "severity", "low", "dc", "2")).Muted())
	code, body := am.request(http.MethodDelete, "/api/v2/silence/"+id, "")
	require.Equal(t, http.StatusOK, code, body)
	assert.False(t, ask(firing("Silenced")).Muted())
}

func TestAFaultyConfigurationIsRefused(t *testing.T) {
	hook := newWebhook(t)
	am := start(t, hook.config(), nil)
	assert.Equal(t, []alertmanager.Receiver{{Name: "hook", Used: true, Integrations: []alertmanager.Integration{{Type: "webhook", SendResolved: true}}}}, am.Status().Receivers)

	am.write(t, "global:\n  smtp_auth_password: hunter2hunter2\nroute:\n  receiver: nobody\n")
	require.Eventually(t, func() bool { return am.Status().Fault != "" }, patience, time.Millisecond, "it is seen")
	want := am.file + `:4: undefined receiver "nobody" used in route`
	assert.Equal(t, want, am.Status().Fault)
	assert.Equal(t, componentstatus.StatusRecoverableError, am.host.status())
	code, body := am.request(http.MethodPost, "/-/reload", "")
	assert.Equal(t, http.StatusInternalServerError, code)
	assert.Equal(t, "failed to reload config: "+want+"\n", body)

	require.NoError(t, am.Put(t.Context(), firing("Down")))
	assert.Equal(t, "hook", hook.next(t).Receiver, "the old one goes on")

	am.write(t, hook.config("templates: [nowhere/[]"))
	code, body = am.request(http.MethodPost, "/-/reload", "")
	assert.Equal(t, http.StatusInternalServerError, code, body)

	am.write(t, strings.NewReplacer("receiver: hook", "receiver: other", "name: hook", "name: other").Replace(hook.config()))
	code, body = am.request(http.MethodPut, "/-/reload", "")
	assert.Equal(t, http.StatusOK, code, body)
	assert.Empty(t, am.Status().Fault)
	assert.Equal(t, componentstatus.StatusOK, am.host.status())
	assert.Equal(t, "other", am.Status().Receivers[0].Name)
	assert.Equal(t, "other", hook.next(t).Receiver, "alerts are routed anew")
}

func TestAStartNeedsAConfiguration(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.ConfigFile = filepath.Join(t.TempDir(), "none.yml")
	am := newExtension(cfg, extensiontest.NewNopSettings(metadata.Type))
	require.ErrorContains(t, am.Start(t.Context(), componenttest.NewNopHost()), "none.yml: cannot be read: no such file")
	require.ErrorIs(t, am.Put(t.Context(), firing("Down")), alertmanager.ErrNotReady)
	_, err := am.Muted(t.Context(), nil)
	require.ErrorIs(t, err, alertmanager.ErrNotReady)
	assert.Equal(t, alertmanager.Status{}, am.Status())
	require.NoError(t, am.Shutdown(t.Context()))

	cfg = createDefaultConfig().(*Config)
	cfg.Inline = map[string]any{"route": map[string]any{"receiver": "a"}, "receivers": []any{map[string]any{"name": "a"}}}
	cfg.SQLStore = component.MustNewID("sql_store")
	am = newExtension(cfg, extensiontest.NewNopSettings(metadata.Type))
	assert.Equal(t, []component.ID{cfg.SQLStore}, am.Dependencies())
	require.ErrorContains(t, am.Start(t.Context(), componenttest.NewNopHost()), `"sql_store": extension "sql_store" is not running`)
}

func TestOtherOriginsAreNotLetIn(t *testing.T) {
	hook := newWebhook(t)
	am := start(t, hook.config(), nil)
	for _, method := range []string{http.MethodGet, http.MethodOptions} {
		r := httptest.NewRequest(method, "/api/v2/silences", http.NoBody)
		r.Header.Set("Origin", "https://evil.example")
		r.Header.Set("Access-Control-Request-Method", http.MethodPost)
		w := httptest.NewRecorder()
		am.Handler().ServeHTTP(w, r)
		assert.Empty(t, w.Header().Get("Access-Control-Allow-Origin"), method)
	}
}

func TestProbes(t *testing.T) {
	hook := newWebhook(t)
	am := start(t, hook.config(), nil)
	for _, path := range []string{"/-/ready", "/-/healthy"} {
		code, _ := am.request(http.MethodGet, path, "")
		assert.Equal(t, http.StatusOK, code, path)
	}
	code, body := am.request(http.MethodGet, "/api/v2/status", "")
	assert.Equal(t, http.StatusOK, code)
	assert.NotContains(t, body, hook.url, "a URL of a webhook may hold a secret")
	require.NoError(t, am.Shutdown(context.Background()))
	for _, path := range []string{"/-/ready", "/api/v2/status"} {
		code, _ := am.request(http.MethodGet, path, "")
		assert.Equal(t, http.StatusServiceUnavailable, code, path)
	}
	code, _ = am.request(http.MethodPost, "/-/reload", "")
	assert.Equal(t, http.StatusServiceUnavailable, code)
}

func TestAnAlertExpires(t *testing.T) {
	hook := newWebhook(t)
	am := start(t, hook.config(), nil)
	a := firing("Forgotten")
	a.UpdatedAt = time.Now().Add(-time.Hour).UTC()
	a.ExpiresAt = a.UpdatedAt.Add(3 * time.Second)
	earlier := a
	earlier.UpdatedAt, earlier.ExpiresAt = a.UpdatedAt.Add(-time.Minute), time.Time{}
	require.NoError(t, am.Put(t.Context(), earlier, a))
	assert.Equal(t, "firing Forgotten", hook.next(t).names(), "a report that comes late has its time all the same")
	assert.Equal(t, "resolved Forgotten", hook.next(t).names())
}
