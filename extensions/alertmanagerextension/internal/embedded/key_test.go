package embedded

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/types"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// built gives the first integration of a configuration, as the engine has it.
func built(t *testing.T, text string) notify.Notifier {
	t.Helper()
	c, err := Parse(text)
	require.NoError(t, err)
	e := &Engine{o: &Options{ExternalURL: &url.URL{}, Logger: promslog.NewNopLogger(), Send: func(_ string, _ *notify.Integration, inner notify.Notifier) notify.Notifier { return inner }}}
	tmpl, err := newTemplate(e.o, c.parsed)
	require.NoError(t, err)
	all, err := e.build(c.parsed.Receivers[0], tmpl, c)
	require.NoError(t, err)
	return &all[0]
}

func inPipeline(t *testing.T) context.Context {
	return notify.WithReceiverName(notify.WithGroupKey(notify.WithGroupLabels(t.Context(), nil), "group"), "a")
}

func down() *types.Alert {
	return &types.Alert{Alert: model.Alert{Labels: model.LabelSet{"alertname": "Down"}, StartsAt: time.Now()}}
}

func TestEachMessageOfAWebhookHasItsKey(t *testing.T) {
	var mu sync.Mutex
	got := map[string]string{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got[r.Header.Get(keyHeader)] = r.Header.Get("X-Team")
	}))
	t.Cleanup(server.Close)
	hook := built(t, `
route: {receiver: a}
receivers: [{name: a, webhook_configs: [{url: "`+server.URL+`", http_config: {http_headers: {X-Team: {values: [shop]}}}}]}]`)
	var group sync.WaitGroup
	want := map[string]string{"": "shop"}
	for i := range 3 * idleWebhooks {
		key := string(rune('a' + i))
		want[key] = "shop"
		group.Go(func() {
			_, err := hook.Notify(WithKey(inPipeline(t), key), down())
			assert.NoError(t, err)
		})
	}
	group.Wait()
	_, err := hook.Notify(inPipeline(t), down())
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestAnOwnKeyIsKept(t *testing.T) {
	var key string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { key = r.Header.Get(keyHeader) }))
	t.Cleanup(server.Close)
	hook := built(t, `
route: {receiver: a}
receivers: [{name: a, webhook_configs: [{url: "`+server.URL+`", http_config: {http_headers: {idempotency-key: {values: [mine]}}}}]}]`)
	_, err := hook.Notify(WithKey(inPipeline(t), "ours"), down())
	require.NoError(t, err)
	assert.Equal(t, "mine", key)
}

func TestAFailedMessageTellsNoSecrets(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "no such token: "+r.URL.Path+" at http://internal/x?token=hunter3, "+r.Header.Get("X-Key"), http.StatusBadRequest)
	}))
	t.Cleanup(server.Close)
	hook := built(t, `
route: {receiver: a}
receivers: [{name: a, webhook_configs: [{url: "`+server.URL+`/hunter2", http_config: {http_headers: {X-Key: {secrets: [hunter4]}}}}]}]`)
	_, err := hook.Notify(WithKey(inPipeline(t), "k"), down())
	require.ErrorContains(t, err, "unexpected status code 400")
	for _, secret := range []string{"hunter3", "hunter4"} {
		assert.NotContains(t, err.Error(), secret)
	}
	var reason *notify.ErrorWithReason
	assert.ErrorAs(t, err, &reason, "metrics tell it")
}
