package monitoringapiextension

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/metricstore"
	"github.com/quantivista/monitoring/internal/servicehealth"
)

// appendNow writes a sample that is as new as the clock.
func appendNow(t *testing.T, s *testStore, value float64, pairs ...string) {
	t.Helper()
	app := s.Appender(t.Context())
	_, err := app.Append(0, labels.FromStrings(pairs...), time.Now().UnixMilli(), value)
	require.NoError(t, err)
	require.NoError(t, app.Commit())
}

func decode[T any](t testing.TB, a answer) T {
	t.Helper()
	var v T
	require.NoError(t, json.Unmarshal([]byte(a.body), &v), a.body)
	return v
}

func TestHealth(t *testing.T) {
	store := newTestStore(t, "")
	_, base := start(t, store)

	empty := decode[api.HealthStatus](t, get(t, base+"/api/v1/health"))
	assert.Equal(t, api.Healthy, empty.Status)
	assert.Zero(t, empty.Services.Total)

	appendNow(t, store, 1, "__name__", "up", "job", "shop/cart", "instance", "a")
	appendNow(t, store, 0, "__name__", "up", "job", "shop/cart", "instance", "b")
	appendNow(t, store, 1, "__name__", "target_info", "job", "pushes")
	appendNow(t, store, float64(time.Now().Add(-90*time.Minute).Unix()), "__name__", "process_start_time_seconds", "job", "pushes")

	status := decode[api.HealthStatus](t, get(t, base+"/api/v1/health"))
	assert.Equal(t, api.Degraded, status.Status)
	assert.Equal(t, 2, status.Services.Total)
	assert.Equal(t, 1, status.Services.Healthy)
	assert.Equal(t, 1, status.Services.Degraded)

	services := decode[[]api.ServiceHealth](t, get(t, base+"/api/v1/health/services"))
	require.Len(t, services, 2)
	assert.Equal(t, "pushes", services[0].Name)
	assert.Equal(t, api.Healthy, services[0].Status)
	assert.Equal(t, "1h 30m", *services[0].Uptime)
	assert.Equal(t, "shop/cart", services[1].Name)
	assert.Nil(t, services[1].Uptime)
	assert.Equal(t, []api.HealthReason{{Source: "targets", Status: api.Degraded, Message: "1 of 2 targets are up"}}, *services[1].Reasons)
	assert.Nil(t, services[1].ActiveAlerts, "nobody knows")

	for _, id := range []string{servicehealth.ID("shop/cart"), url.PathEscape("shop/cart")} {
		one := decode[api.ServiceHealth](t, get(t, base+"/api/v1/health/services/"+id))
		assert.False(t, one.LastCheck.Before(services[1].LastCheck), "it is judged at each request")
		one.LastCheck = services[1].LastCheck
		assert.Equal(t, services[1], one)
	}

	got := get(t, base+"/api/v1/health/services/nobody")
	assert.Equal(t, http.StatusNotFound, got.status)
	assert.Equal(t, "serviceId", got.problem(t).Errors[0].Field)
}

func TestHealthWithoutStore(t *testing.T) {
	store := newTestStore(t, "")
	store.fail = metricstore.ErrUnavailable
	_, base := start(t, store)

	got := get(t, base+"/api/v1/health")
	assert.Equal(t, http.StatusOK, got.status)
	status := decode[api.HealthStatus](t, got)
	assert.Equal(t, api.Unhealthy, status.Status)
	assert.Contains(t, *status.Detail, metricstore.ErrUnavailable.Error())

	for _, path := range []string{"/api/v1/health/services", "/api/v1/health/services/x"} {
		got := get(t, base+path)
		assert.Equal(t, http.StatusServiceUnavailable, got.status)
		assert.Equal(t, "5", got.header.Get("Retry-After"))
		assert.Contains(t, got.problem(t).Detail, metricstore.ErrUnavailable.Error())
	}
}

func TestHealthCountsAlertsAndIncidents(t *testing.T) {
	base, stored := startWithState(t, "ann")
	health := func() api.HealthStatus { return decode[api.HealthStatus](t, get(t, base+"/api/v1/health")) }
	quiet := health()
	assert.Zero(t, *quiet.ActiveAlerts)
	assert.Zero(t, *quiet.ActiveIncidents)

	stored.intake(t, firingAlert("A", 0, alert.High), firingAlert("B", 0, alert.Low), resolvedAlert(firingAlert("C", 0, alert.Low), time.Minute))
	over := createIncident(t, base, `{"title":"T","severity":"low"}`)
	createIncident(t, base, `{"title":"U","severity":"low"}`)
	sendJSON(t, http.MethodPut, base+"/api/v1/incidents/"+over.ID, `{"status":"resolved"}`, http.StatusOK)
	busy := health()
	assert.Equal(t, 2, *busy.ActiveAlerts)
	assert.Equal(t, 1, *busy.ActiveIncidents)
	assert.Equal(t, api.Healthy, busy.Status)

	require.NoError(t, stored.Close())
	away := health()
	assert.Equal(t, api.Degraded, away.Status)
	assert.Contains(t, *away.Detail, "not available")
	assert.Nil(t, away.ActiveAlerts)
	assert.Nil(t, away.ActiveIncidents)
}

func TestHealthWithoutState(t *testing.T) {
	_, base := start(t, newTestStore(t, ""))
	got := decode[api.HealthStatus](t, get(t, base+"/api/v1/health"))
	assert.Nil(t, got.ActiveAlerts)
	assert.Nil(t, got.ActiveIncidents)
}
