package incidentexporter

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"golang.org/x/sync/errgroup"

	"github.com/quantivista/monitoring/exporters/incidentexporter/internal/metadatatest"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/sqlstore"
	"github.com/quantivista/monitoring/internal/sqlstore/postgrestest"
	"github.com/quantivista/monitoring/internal/state"
)

func TestAlertsBecomeIncidents(t *testing.T) {
	store := openSQLite(t)
	e, stop := start(t, store, settings(), func(cfg *Config) {
		direct(cfg)
		cfg.QuietPeriod, cfg.SweepInterval = 0, 10*time.Millisecond
	})
	defer stop()
	a := firing("Slow", time.Now())
	require.NoError(t, e.ConsumeMetrics(t.Context(), metrics(t, a)))
	all := store.incidents(t)
	require.Len(t, all, 1)
	assert.Equal(t, "Slow on cart", all[0].Title)
	require.NoError(t, e.ConsumeMetrics(t.Context(), metrics(t, resolved(a, time.Now()))))
	require.Eventually(t, func() bool { return store.incidents(t)[0].Status == incident.Resolved }, 10*time.Second, 10*time.Millisecond,
		"the sweeper resolves it")
}

func TestWhatIsOldIsDeleted(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	defer func() { require.NoError(t, telemetry.Shutdown(t.Context())) }()
	set := settings()
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	store := openSQLite(t)
	old := resolved(firing("Old", time.Now().Add(-3*time.Hour)), time.Now().Add(-2*time.Hour))
	fires := firing("Fires", time.Now().Add(-3*time.Hour))
	rules, err := createDefaultConfig().(*Config).correlation()
	require.NoError(t, err)
	_, err = incident.NewCorrelator(store, rules, time.Now).Handle(t.Context(), []alert.Alert{old, fires})
	require.NoError(t, err)
	require.NoError(t, store.Write(t.Context(), func(ctx context.Context, tx incident.Tx) error {
		in, err := tx.Incident(ctx, store.incidents(t)[0].ID)
		if err != nil {
			return err
		}
		in.Status, in.ResolvedAt = incident.Resolved, time.Now().Add(-2*time.Hour)
		_, err = tx.UpdateIncident(ctx, in)
		return err
	}))
	_, stop := start(t, store, set, func(cfg *Config) {
		cfg.Retention, cfg.SweepInterval = model.Duration(time.Hour), 10*time.Millisecond
	})
	require.Eventually(t, func() bool {
		list, err := store.Alerts(t.Context(), alert.Query{})
		return err == nil && len(list.Alerts) == 1 && list.Alerts[0].Name() == "Fires"
	}, 10*time.Second, 10*time.Millisecond)
	stop() // waits until it is counted
	assert.Empty(t, store.incidents(t))
	metadatatest.AssertEqualExporterIncidentDeletedRows(t, telemetry, []metricdata.DataPoint[int64]{
		{Attributes: attribute.NewSet(attribute.String("kind", "incident")), Value: 1},
		{Attributes: attribute.NewSet(attribute.String("kind", "alert")), Value: 1},
	}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

func TestMalformedAlertsAreRefusedAlone(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	defer func() { require.NoError(t, telemetry.Shutdown(t.Context())) }()
	set := settings()
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	store := openSQLite(t)
	e, stop := start(t, store, set, direct)
	defer stop()

	md := metrics(t, firing("Slow", time.Now()))
	bad := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().AppendEmpty()
	bad.SetName("ALERTS")
	bad.SetEmptySum()
	require.NoError(t, e.ConsumeMetrics(t.Context(), md))
	assert.Len(t, store.incidents(t), 1)

	only := pmetric.NewMetrics()
	bad.CopyTo(only.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty())
	err := e.ConsumeMetrics(t.Context(), only)
	require.ErrorContains(t, err, "data points: must be a gauge with exactly one")
	assert.True(t, consumererror.IsPermanent(err))

	points := func(key, value string, n int64) []metricdata.DataPoint[int64] {
		return []metricdata.DataPoint[int64]{{Attributes: attribute.NewSet(attribute.String(key, value)), Value: n}}
	}
	metadatatest.AssertEqualExporterIncidentRefusedAlerts(t, telemetry, points("reason", "malformed", 2), metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	metadatatest.AssertEqualExporterIncidentAlertTransitions(t, telemetry, points("transition", "fired", 1), metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	metadatatest.AssertEqualExporterIncidentIncidentTransitions(t, telemetry, points("transition", "opened", 1), metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

func TestRefusedAlertsAreFoundInTheirBatch(t *testing.T) {
	store := openSQLite(t)
	store.refuse = "Bad"
	e, stop := start(t, store, settings(), direct)
	defer stop()
	now := time.Now()
	require.NoError(t, e.ConsumeMetrics(t.Context(), metrics(t, firing("A", now), firing("Bad", now), firing("B", now), firing("C", now))))
	all := store.incidents(t)
	require.Len(t, all, 1)
	assert.Equal(t, 3, all[0].AlertCount)
	err := e.ConsumeMetrics(t.Context(), metrics(t, firing("Bad", now)))
	require.ErrorIs(t, err, state.ErrConflict)
	assert.True(t, consumererror.IsPermanent(err))
}

func TestOutageLosesNothing(t *testing.T) {
	store := openSQLite(t)
	e, stop := start(t, store, settings(), func(cfg *Config) {
		cfg.RetryConfig.InitialInterval, cfg.RetryConfig.MaxInterval = time.Millisecond, 10*time.Millisecond
	})
	defer stop()
	store.away.Store(true)
	a, b := firing("Slow", time.Now()), firing("Down", time.Now())
	require.NoError(t, e.ConsumeMetrics(t.Context(), metrics(t, a, b)))
	require.NoError(t, e.ConsumeMetrics(t.Context(), metrics(t, resolved(a, time.Now()))))
	for range 3 {
		require.ErrorIs(t, <-store.writes, state.ErrUnavailable)
	}
	store.away.Store(false)
	stored := 0
	for stored < 2 {
		if <-store.writes == nil {
			stored++
		}
	}
	all := store.incidents(t)
	require.Len(t, all, 1)
	assert.Equal(t, []any{incident.Open, 2}, []any{all[0].Status, all[0].AlertCount})
}

func TestAwayIsRetryable(t *testing.T) {
	store := openSQLite(t)
	e, stop := start(t, store, settings(), direct)
	defer stop()
	store.away.Store(true)
	err := e.ConsumeMetrics(t.Context(), metrics(t, firing("Slow", time.Now())))
	require.ErrorIs(t, err, state.ErrUnavailable)
	assert.False(t, consumererror.IsPermanent(err))
}

func TestStoreMustBeThere(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	e, err := NewFactory().CreateMetrics(t.Context(), settings(), cfg)
	require.NoError(t, err)
	require.ErrorContains(t, e.Start(t.Context(), testHost{componenttest.NewNopHost(), map[component.ID]component.Component{}}), `"sql_store": extension "sql_store" is not running`)
	require.NoError(t, e.Shutdown(t.Context()))
}

func TestTwoReplicasOnPostgreSQL(t *testing.T) {
	server, err := postgrestest.New()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	url, err := server.CreateDatabase(t.Context(), "incidents")
	require.NoError(t, err)
	var replicas errgroup.Group
	var stores []*testStore
	begin := time.Now().Add(-time.Minute)
	for range 2 {
		pool, err := sqlstore.OpenPostgres(sqlstore.Postgres{URL: url, MaxOpenConns: 4, MaxIdleConns: 2, ConnectTimeout: 5 * time.Second})
		store := opened(t, pool, err)
		stores = append(stores, store)
		e, stop := start(t, store, settings(), direct)
		t.Cleanup(stop)
		var batches []pmetric.Metrics
		for round := range 20 {
			a, b := firing("Slow", begin), firing("Down", begin.Add(time.Second))
			a.UpdatedAt, b.UpdatedAt = begin.Add(time.Duration(round)*time.Second), begin.Add(time.Duration(round)*time.Second)
			if round == 19 {
				a, b = resolved(a, a.UpdatedAt), resolved(b, b.UpdatedAt)
			}
			batches = append(batches, metrics(t, a, b))
		}
		replicas.Go(func() error {
			for _, batch := range batches {
				if err := e.ConsumeMetrics(t.Context(), batch); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, replicas.Wait())
	all := stores[0].incidents(t)
	require.Len(t, all, 1)
	assert.Equal(t, []any{incident.Mitigated, 2, 6}, []any{all[0].Status, all[0].AlertCount, all[0].EventCount},
		"opened, two alerts fired, two ended, mitigated: each once")
}
