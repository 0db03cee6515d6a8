package spanmetrics

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Two hours, a sample a minute. "reserve" took 100 ms in the first hour and 400 ms in the second, in which it fails at times.
const spans = `load 1m
	traces_span_metrics_calls_total{service_name="stock", span_name="reserve", span_kind="SPAN_KIND_SERVER", status_code="STATUS_CODE_UNSET"} 0+60x120
	traces_span_metrics_calls_total{service_name="stock", span_name="reserve", span_kind="SPAN_KIND_SERVER", status_code="STATUS_CODE_ERROR"} 0x60 1+1x60
	traces_span_metrics_duration_seconds_count{service_name="stock", span_name="reserve", span_kind="SPAN_KIND_SERVER"} 0+60x120
	traces_span_metrics_duration_seconds_sum{service_name="stock", span_name="reserve", span_kind="SPAN_KIND_SERVER"} 0+6x60 360+24x60
	traces_span_metrics_duration_seconds_bucket{service_name="stock", span_name="reserve", span_kind="SPAN_KIND_SERVER", le="0.2"} 0+60x60 3600x60
	traces_span_metrics_duration_seconds_bucket{service_name="stock", span_name="reserve", span_kind="SPAN_KIND_SERVER", le="0.5"} 0+60x120
	traces_span_metrics_duration_seconds_bucket{service_name="stock", span_name="reserve", span_kind="SPAN_KIND_SERVER", le="+Inf"} 0+60x120
	traces_span_metrics_calls_total{service_name="stock", span_name="old", span_kind="SPAN_KIND_CLIENT", status_code="STATUS_CODE_UNSET"} 0+1x60 60x60
	traces_span_metrics_calls_total{service_name="stock", span_name="young", span_kind="SPAN_KIND_INTERNAL", status_code="STATUS_CODE_UNSET"} 0x60 1+1x60
	traces_span_metrics_calls_total{service_name="stock\"s", span_name="other", span_kind="SPAN_KIND_SERVER", status_code="STATUS_CODE_UNSET"} 0+1x120
	traces_service_graph_request_total{client="shop", server="stock"} 0+60x120
	traces_service_graph_request_failed_total{client="shop", server="stock"} 0x60 1+1x60
	traces_service_graph_request_server_seconds_bucket{client="shop", server="stock", le="0.5"} 0+60x120
	traces_service_graph_request_server_seconds_bucket{client="shop", server="stock", le="+Inf"} 0+60x120
	traces_service_graph_request_total{client="stock", server="orders", connection_type="database"} 0+1x120
	traces_service_graph_request_total{client="fresh", server="stock"} _x100 7x20
	traces_service_graph_request_total{client="gone", server="stock"} 0+1x30 30x90
`

func loaded(t *testing.T) Query { return with(t, spans) }

// with asks a store that has a load of promqltest.
func with(t *testing.T, load string) Query {
	t.Helper()
	store := promqltest.LoadedStorage(t, load)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	engine := promqltest.NewTestEngine(t, false, 5*time.Minute, 100_000)
	return func(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
		q, err := engine.NewInstantQuery(ctx, store, nil, expr, at)
		require.NoError(t, err, expr)
		defer q.Close()
		return q.Exec(ctx).Vector()
	}
}

func hour(n int) time.Time { return time.Unix(int64(n)*3600, 0) }

func TestCompare(t *testing.T) {
	changes, err := Compare(t.Context(), loaded(t), "stock", hour(1), hour(2))
	require.NoError(t, err)
	require.Len(t, changes, 3)
	reserve := changes[0]
	assert.Equal(t, Operation{"reserve", "server"}, reserve.Operation)
	assert.Equal(t, Slower, reserve.Verdict())
	assert.True(t, reserve.NewlyFails())
	assert.InDelta(t, 0.1, reserve.Previous.Mean, 0.001)
	assert.InDelta(t, 0.4, reserve.Current.Mean, 0.001)
	assert.InDelta(t, 0.2, reserve.Previous.P95, 0.02)
	assert.InDelta(t, 0.485, reserve.Current.P95, 0.02)
	assert.InDelta(t, 1080, reserve.SecondsMore(), 30)
	assert.InDelta(t, 1./61, reserve.Current.ErrorRatio(), 0.001)
	assert.Zero(t, reserve.Previous.Errors)
	verdicts := map[string]Verdict{}
	for i := range changes {
		verdicts[changes[i].Name] = changes[i].Verdict()
	}
	assert.Equal(t, map[string]Verdict{"reserve": Slower, "old": Gone, "young": New}, verdicts)

	back, err := Compare(t.Context(), loaded(t), "stock", hour(2), hour(2).Add(time.Second))
	require.NoError(t, err)
	assert.Empty(t, back, "no call is known in a second")
	quoted, err := Operations(t.Context(), loaded(t), `stock"s`, hour(1), hour(2))
	require.NoError(t, err)
	assert.Contains(t, quoted, Operation{"other", "server"})
}

func TestVerdicts(t *testing.T) {
	figures := func(mean, p95 float64) Figures { return Figures{Calls: 1, Mean: mean, P95: p95} }
	for want, change := range map[Verdict]Change{
		Faster: {Previous: figures(0.3, 1), Current: figures(0.1, 1)},
		Slower: {Previous: figures(0.3, 1), Current: figures(0.3, 1.2)},
		Same:   {Previous: figures(0.0001, 0.0001), Current: figures(0.0003, 0.0003)},
	} {
		assert.Equal(t, want, change.Verdict())
	}
	assert.Zero(t, Figures{}.ErrorRatio())
}

func TestDependencies(t *testing.T) {
	found, err := Dependencies(t.Context(), loaded(t), hour(1), hour(2))
	require.NoError(t, err)
	require.Len(t, found, 3)
	assert.Equal(t, "fresh", found[2].Parent)
	assert.InDelta(t, 7, found[2].Calls, 0, "what a counter begins with is counted")
	assert.Equal(t, []string{"shop", "stock", ""}, []string{found[0].Parent, found[0].Child, found[0].Connection})
	assert.InDelta(t, 3600, found[0].Calls, 1)
	assert.InDelta(t, 60, found[0].Errors, 2)
	assert.InDelta(t, 0.475, found[0].P95, 0.01)
	assert.Equal(t, []string{"stock", "orders", "database"}, []string{found[1].Parent, found[1].Child, found[1].Connection})
	assert.True(t, math.IsNaN(found[1].P95))
}

func TestCallees(t *testing.T) {
	query := with(t, `load 1m
	traces_service_graph_request_total{client="web", server="api", failed="false"} 0+60x120
	traces_service_graph_request_total{client="web", server="api", failed="true"} 0+1x120
	traces_service_graph_request_total{client="web", server="api", connection_type="virtual_node"} 0+1x120
	traces_service_graph_request_total{client="web", server="auth", connection_type="virtual_node"} 0+1x120
	traces_service_graph_request_total{client="api", server="orders", connection_type="database"} 0+1x120
	traces_service_graph_request_total{client="user", server="web", connection_type="virtual_node"} 0+1x120
	traces_service_graph_request_total{client="user", server="profiles"} 0+1x120
	traces_service_graph_request_total{client="web", server="unknown", connection_type="virtual_node"} 0+1x120
	traces_service_graph_request_total{client="api", server="mailer", connection_type="messaging_system"} 0+1x120
	traces_service_graph_request_total{client="api", server="api"} 0+1x120
	traces_service_graph_request_total{client="", server="api"} 0+1x120
	traces_service_graph_request_total{client="gone", server="api"} 0+1x30 30x90
`)
	callees, err := Callees(t.Context(), query, hour(1), hour(2))
	require.NoError(t, err)
	assert.Equal(t, map[string][]string{"web": {"api", "auth"}, "api": {"orders"}, "user": {"profiles"}}, callees)
}

func TestTheStoresErrors(t *testing.T) {
	broken := errors.New("broken")
	query := func(context.Context, string, time.Time) (promql.Vector, error) { return nil, broken }
	_, err := Compare(t.Context(), query, "stock", hour(1), hour(2))
	require.ErrorIs(t, err, broken)
	_, err = Dependencies(t.Context(), query, hour(1), hour(2))
	require.ErrorIs(t, err, broken)
	_, err = Callees(t.Context(), query, hour(1), hour(2))
	require.ErrorIs(t, err, broken)
}
