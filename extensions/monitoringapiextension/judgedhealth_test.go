package monitoringapiextension

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/metricstore"
)

// startJudging runs the extension with both stores, and judges all the time.
func startJudging(t *testing.T, store *testStore, log *zap.Logger) (base string, stored *testState) {
	t.Helper()
	stored = newTestState(t)
	cfg := testConfig()
	cfg.SQLStore = sqlStoreID
	cfg.Health.Interval, cfg.Health.DetailsInterval = 20*time.Millisecond, 0
	set := nopSettings()
	set.Logger = log
	m := newExtension(cfg, set)
	require.NoError(t, m.Start(context.Background(), host{storeID: store, sqlStoreID: stored}))
	t.Cleanup(func() { require.NoError(t, m.Shutdown(context.Background())) })
	return "http://" + m.addr.String(), stored
}

func TestJudgedHealth(t *testing.T) {
	store := newTestStore(t, "")
	appendNow(t, store, 1, "__name__", "up", "job", "api", "instance", "a")
	appendNow(t, store, 1, "__name__", "up", "job", "quiet", "instance", "b")
	base, stored := startJudging(t, store, zap.NewNop())
	high, low := firingAlert("Slow", 0, alert.High), firingAlert("Odd", 1, alert.Low)
	high.Labels, low.Labels = map[string]string{"alertname": "Slow", "service": "api"}, map[string]string{"alertname": "Odd", "job": "api"}
	only := firingAlert("Gone", 2, alert.Critical)
	only.Labels = map[string]string{"alertname": "Gone", "service": "batch"}
	stored.intake(t, low, high, only)

	var services []api.ServiceHealth
	require.Eventually(t, func() bool {
		services = decode[[]api.ServiceHealth](t, get(t, base+"/api/v1/health/services"))
		return len(services) == 3 && services[0].Status == api.Degraded
	}, time.Minute, 10*time.Millisecond)
	assert.Equal(t, "api", services[0].Name)
	require.Len(t, *services[0].ActiveAlerts, 2)
	assert.Equal(t, "Slow", (*services[0].ActiveAlerts)[0].Name, "the worst first")
	assert.Equal(t, 2, *services[0].ActiveAlertCount)
	assert.Equal(t, "alert", (*services[0].Reasons)[0].Source)
	assert.Contains(t, (*services[0].Reasons)[0].Message, "Slow fires (high)")
	assert.Equal(t, "batch", services[1].Name)
	assert.Equal(t, api.Unhealthy, services[1].Status)
	assert.Nil(t, services[1].LastSeen)
	assert.Equal(t, api.Healthy, services[2].Status)
	assert.Empty(t, *services[2].ActiveAlerts)

	one := decode[api.ServiceHealth](t, get(t, base+"/api/v1/health/services/api"))
	assert.Equal(t, services[0].ActiveAlerts, one.ActiveAlerts)
	status := decode[api.HealthStatus](t, get(t, base+"/api/v1/health"))
	assert.Equal(t, api.Unhealthy, status.Status)
	assert.Equal(t, 3, status.Services.Total)
	assert.Equal(t, 3, *status.ActiveAlerts)

	records, err := stored.Health(t.Context())
	require.NoError(t, err)
	assert.Len(t, records, 3)
	assert.Equal(t, http.StatusNotFound, get(t, base+"/api/v1/health/services/nobody").status)
}

// While the metric store is away, what was judged last is told, and since when.
func TestJudgedHealthOutlivesTheMetricStore(t *testing.T) {
	store := newTestStore(t, "")
	appendNow(t, store, 1, "__name__", "up", "job", "api", "instance", "a")
	core, logs := observer.New(zap.InfoLevel)
	base, stored := startJudging(t, store, zap.New(core))
	require.Eventually(t, func() bool {
		records, err := stored.Health(t.Context())
		return err == nil && len(records) == 1
	}, time.Minute, 10*time.Millisecond)

	store.breakdown(metricstore.ErrUnavailable)
	require.Eventually(t, func() bool {
		status := decode[api.HealthStatus](t, get(t, base+"/api/v1/health"))
		return status.Status == api.Unhealthy && status.Services.Healthy == 1
	}, time.Minute, 10*time.Millisecond)
	services := decode[[]api.ServiceHealth](t, get(t, base+"/api/v1/health/services"))
	require.Len(t, services, 1)
	assert.Equal(t, api.Healthy, services[0].Status)
	assert.Len(t, logs.FilterMessageSnippet("Cannot judge the health").All(), 1, "told once")

	store.breakdown(nil)
	require.Eventually(t, func() bool {
		return decode[api.HealthStatus](t, get(t, base+"/api/v1/health")).Status == api.Healthy
	}, time.Minute, 10*time.Millisecond)
	assert.Len(t, logs.FilterMessageSnippet("judged again").All(), 1)
}
