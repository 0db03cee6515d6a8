package servicehealth

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/quantivista/monitoring/internal/alert"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// at gives an Assessor on the loaded series (promqltest's notation) as of this long after the first sample.
func at(t *testing.T, after time.Duration, load string) *Assessor {
	t.Helper()
	return NewAssessor(loaded(t, load), testRules, func() time.Time { return time.Unix(0, 0).Add(after) })
}

var testRules = Rules{Alerts: AlertRules{Unhealthy: alert.Critical, Degraded: alert.High}}

// loaded asks the loaded series.
func loaded(t *testing.T, load string) Query {
	t.Helper()
	store := promqltest.LoadedStorage(t, load)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	engine := promqltest.NewTestEngine(t, false, 0, 1_000_000)
	return func(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
		q, err := engine.NewInstantQuery(ctx, store, nil, expr, at)
		if err != nil {
			return nil, err
		}
		defer q.Close()
		vector, err := q.Exec(ctx).Vector()
		return append(promql.Vector(nil), vector...), err
	}
}

func TestStatus(t *testing.T) {
	tests := map[string]struct {
		load string
		want Status
	}{
		"all targets up":          {`up{job="x",instance="a"} 1+0x60` + "\n" + `up{job="x",instance="b"} 1+0x60`, Healthy},
		"some targets down":       {`up{job="x",instance="a"} 1+0x60` + "\n" + `up{job="x",instance="b"} 0+0x60`, Degraded},
		"all targets down":        {`up{job="x",instance="a"} 0+0x60`, Unhealthy},
		"came back":               {`up{job="x",instance="a"} 0x50 1x10`, Healthy},
		"pushes":                  {`target_info{job="x",instance="a"} 1+0x60`, Healthy},
		"stopped pushing":         {`target_info{job="x",instance="a"} 1+0x40`, Unhealthy},
		"no longer scraped":       {`up{job="x",instance="a"} 1x40 stale`, Unhealthy},
		"one target went":         {`up{job="x",instance="a"} 1x40 stale` + "\n" + `up{job="x",instance="b"} 1+0x60`, Healthy},
		"pushes and is scraped":   {`target_info{job="x",instance="a"} 1+0x60` + "\n" + `up{job="x",instance="b"} 0+0x60`, Unhealthy},
		"neither up nor info":     {`orders{job="x"} 1+1x60`, Healthy},
		"neither, of two names":   {`orders{job="x"} 1+1x60` + "\n" + `returns{job="x"} 1+1x60`, Healthy},
		"neither, and gone":       {`orders{job="x"} 1+1x40`, Unhealthy},
		"alerts are not a sign":   {`up{job="x"} 1x40 stale` + "\n" + `ALERTS{job="x"} 1+0x60`, Unhealthy},
		"a late sample is enough": {`target_info{job="x",instance="a"} 1+0x56`, Healthy},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			services, err := at(t, time.Hour, "load 1m\n"+tt.load).Services(t.Context())
			require.NoError(t, err)
			require.Len(t, services, 1)
			assert.Equal(t, tt.want, services[0].Status)
			assert.Equal(t, "x", services[0].Name)
		})
	}
}

func TestUnseenServicesAreForgotten(t *testing.T) {
	services, err := at(t, 3*time.Hour, "load 1m\n"+`up{job="x"} 1+0x60`+"\n"+`other{job="y"} 1+0x60`).Services(t.Context())
	require.NoError(t, err)
	assert.Empty(t, services)
}

func TestLastSeenIsTheNewestSample(t *testing.T) {
	a := at(t, time.Hour, "load 1m\n"+`up{job="gone"} 1x30 stale`+"\n"+`target_info{job="now"} 1+0x58`)
	services, err := a.Services(t.Context())
	require.NoError(t, err)
	require.Len(t, services, 2)
	assert.Equal(t, time.Unix(30*60, 0).UTC(), services[0].LastSeen)
	assert.Equal(t, time.Unix(58*60, 0).UTC(), services[1].LastSeen)
	assert.Equal(t, time.Unix(60*60, 0).UTC(), services[1].LastCheck)
}

func TestSummary(t *testing.T) {
	up, some, down := `up{job="up"} 1+0x60`, `up{job="some",i="a"} 1+0x60`+"\n"+`up{job="some",i="b"} 0+0x60`, `up{job="down"} 0+0x60`
	tests := map[string]struct {
		load string
		want Summary
	}{
		"nothing":   {`other 1`, Summary{Status: Healthy}},
		"healthy":   {up, Summary{Status: Healthy, Total: 1, Healthy: 1}},
		"degraded":  {up + "\n" + some, Summary{Status: Degraded, Total: 2, Healthy: 1, Degraded: 1}},
		"unhealthy": {up + "\n" + some + "\n" + down, Summary{Status: Unhealthy, Total: 3, Healthy: 1, Degraded: 1, Unhealthy: 1}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := at(t, time.Hour, "load 1m\n"+tt.load).Summary(t.Context())
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestDetails(t *testing.T) {
	a := at(t, time.Hour, `load 1m
		up{job="x"} 1+0x60
		up{job="bare"} 1+0x60
		process_start_time_seconds{job="x"} 600+0x60
		process_cpu_seconds_total{job="x"} 0+30x60
		process_resident_memory_bytes{job="x"} 1024+0x60
		jvm_memory_used_bytes{job="x",jvm_memory_type="heap",pool="a"} 100+0x60
		jvm_memory_used_bytes{job="x",jvm_memory_type="heap",pool="b"} 150+0x60
		jvm_memory_limit_bytes{job="x",jvm_memory_type="heap",pool="a"} 1000+0x60
		http_server_request_duration_seconds_bucket{job="x",le="0.1"} 0+50x60
		http_server_request_duration_seconds_bucket{job="x",le="0.2"} 0+100x60
		http_server_request_duration_seconds_bucket{job="x",le="+Inf"} 0+100x60
		http_server_request_duration_seconds_count{job="x",http_response_status_code="200"} 0+90x60
		http_server_request_duration_seconds_count{job="x",http_response_status_code="500"} 0+30x60
		http_server_request_duration_seconds_sum{job="x",http_response_status_code="200"} 0+6x60`)
	services, err := a.Services(t.Context())
	require.NoError(t, err)
	require.Len(t, services, 2)
	assert.Empty(t, services[0].Details.Metrics)
	assert.Zero(t, services[0].Details.Uptime)

	d := services[1].Details
	assert.Equal(t, 50*time.Minute, d.Uptime)
	assert.InDelta(t, 50, d.ResponseTime, 1e-9)
	assert.InDeltaMapValues(t, map[string]float64{
		"cpu_usage_percent": 50, "memory_usage_bytes": 1024, "request_rate": 2, "error_rate": 25,
		"memory_usage_percent": 25, "p95_latency_ms": 190,
	}, d.Metrics, 1e-9)

	one, err := a.Service(t.Context(), "x")
	require.NoError(t, err)
	assert.Equal(t, services[1], one)
}

func TestServiceByIDAndName(t *testing.T) {
	a := at(t, time.Hour, "load 1m\n"+`up{job="shop/\"cart\""} 1+0x60`)
	byName, err := a.Service(t.Context(), `shop/"cart"`)
	require.NoError(t, err)
	byID, err := a.Service(t.Context(), byName.ID)
	require.NoError(t, err)
	assert.Equal(t, byName, byID)

	_, err = a.Service(t.Context(), "shop")
	assert.ErrorIs(t, err, ErrUnknown)
}

func TestIDIsStable(t *testing.T) {
	assert.Equal(t, "41f1cb76-ad76-5d48-927f-bf715ccf1f58", ID("trading-engine"))
	assert.NotEqual(t, ID("a"), ID("b"))
}

func TestQueryErrorsAreTold(t *testing.T) {
	broken := errors.New("the store is closed")
	a := NewAssessor(func(context.Context, string, time.Time) (promql.Vector, error) { return nil, broken }, Rules{}, time.Now)
	_, err := a.Services(t.Context())
	require.ErrorIs(t, err, broken)
	_, err = a.Service(t.Context(), "x")
	require.ErrorIs(t, err, broken)
	_, err = a.Summary(t.Context())
	require.ErrorIs(t, err, broken)
}

func TestFormatUptime(t *testing.T) {
	for d, want := range map[time.Duration]string{
		15*24*time.Hour + 7*time.Hour + 23*time.Minute + 59*time.Second: "15d 7h 23m",
		24 * time.Hour:              "1d 0h 0m",
		7*time.Hour + 5*time.Minute: "7h 5m",
		59 * time.Second:            "0m",
	} {
		assert.Equal(t, want, FormatUptime(d))
	}
}
