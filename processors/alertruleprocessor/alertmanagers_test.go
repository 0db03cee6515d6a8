package alertruleprocessor

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// posted is an alert in Alertmanager's API v2.
type posted struct {
	Labels       map[string]string
	Annotations  map[string]string
	StartsAt     time.Time
	EndsAt       time.Time
	GeneratorURL string
}

func TestAlertsGoToAlertmanagersToo(t *testing.T) {
	received := make(chan posted, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		var alerts []posted
		if assert.Equal(t, "/am/api/v2/alerts", r.URL.Path) && assert.Equal(t, "me:secret", user+":"+password) && assert.NoError(t, json.NewDecoder(r.Body).Decode(&alerts)) {
			for _, a := range alerts {
				received <- a
			}
		}
	}))
	defer server.Close()
	b := newBench(t, "groups: [{name: g, interval: 50ms, rules: [{alert: Down, expr: up == 0, labels: {severity: page, replica: a}, annotations: {summary: down}}]}]")
	b.cfg.ExternalLabels = map[string]string{"cluster": "eu"}
	b.cfg.Alertmanagers = []map[string]any{{
		"path_prefix": "/am", "basic_auth": map[string]any{"username": "me", "password": "secret"},
		"static_configs": []any{map[string]any{"targets": []any{server.Listener.Addr().String()}}},
	}}
	b.cfg.AlertRelabelConfigs = []map[string]any{{"action": "labeldrop", "regex": "replica"}}
	b.store.set(t, 0, "up", "instance", "a")
	b.start()
	defer b.close()

	fired := <-received
	assert.Equal(t, map[string]string{"alertname": "Down", "instance": "a", "severity": "page", "cluster": "eu"}, fired.Labels)
	assert.Equal(t, map[string]string{"summary": "down"}, fired.Annotations)
	assert.True(t, fired.EndsAt.After(time.Now()))
	assert.Contains(t, fired.GeneratorURL, "http://localhost:8090/prometheus/graph?")
	b.store.set(t, 1, "up", "instance", "a")
	ended := <-received
	for ended.EndsAt.After(time.Now()) {
		ended = <-received
	}
	assert.Equal(t, fired.Labels, ended.Labels)
	require.Contains(t, b.next.got(), "Down/a firing", "and down the pipeline")
}
