package metricstoreextension

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/metricstore"
)

// slowExpr is a query that would run for minutes over writeMinutes.
const slowExpr = `sum_over_time(sum(rate({__name__="load"}[10m]))[50m:10ms])`

func startWithData(t *testing.T) *embeddedStore {
	t.Helper()
	store := newEmbeddedStore(testConfig(t), testSettings())
	require.NoError(t, store.Start(context.Background(), newTestHost()))
	now := time.Now()
	for minute := range 20 {
		require.NoError(t, write(store, batch("load", 0, 500, now.Add(time.Duration(minute-20)*time.Minute))...))
	}
	return store
}

func (t queryTracker) running() int { return len(t) }

func TestShutdownAbortsQueries(t *testing.T) {
	store := startWithData(t)
	failed := make(chan error)
	go func() {
		_, err := store.Query(context.Background(), slowExpr, time.Now())
		failed <- err
	}()
	require.Eventually(t, func() bool { return store.tracker.running() == 1 }, soon, often)
	require.NoError(t, store.Shutdown(context.Background()))
	require.ErrorIs(t, <-failed, metricstore.ErrUnavailable)
}

func TestShutdownWaitsForWritersAndReaders(t *testing.T) {
	store := startWithData(t)
	app := store.Appender(context.Background())
	_, err := app.Append(0, up, time.Now().UnixMilli(), 1)
	require.NoError(t, err)
	querier, err := store.Querier(0, time.Now().UnixMilli())
	require.NoError(t, err)

	closed := make(chan error)
	go func() { closed <- store.Shutdown(context.Background()) }()
	require.Eventually(t, func() bool { return store.current.Load() == nil }, soon, often)

	// What began before it may end: the batch is acknowledged, and the querier reads on.
	require.NoError(t, app.Commit())
	set := querier.Select(context.Background(), false, nil, labels.MustNewMatcher(labels.MatchEqual, "__name__", "load"))
	n := 0
	for set.Next() {
		n++
	}
	require.NoError(t, set.Err())
	assert.Equal(t, 500, n)
	require.NoError(t, querier.Close())
	require.Error(t, querier.Close(), "a second close is refused, and counts for nothing")
	require.NoError(t, <-closed)

	again, _ := startStore(t, store.cfg)
	assert.Len(t, instant(t, again, "up", time.Now()), 1)
}

func TestShutdownDoesNotWaitForEver(t *testing.T) {
	store := startWithData(t)
	querier, err := store.Querier(0, time.Now().UnixMilli())
	require.NoError(t, err)
	d := store.current.Load()
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	require.NoError(t, store.Shutdown(ctx), "a query that does not end fails no shutdown")
	require.NoError(t, querier.Close())
	require.NoError(t, d.close(context.Background()), "for this process, which lives on")
}

func TestQueriesWaitForTheirTurn(t *testing.T) {
	cfg := testConfig(t)
	cfg.Query.MaxConcurrency = 1
	store, _ := startStore(t, cfg)
	now := time.Now()
	require.NoError(t, write(store, sample{up, now, 1}))

	slot, err := store.tracker.Insert(context.Background(), "a long query")
	require.NoError(t, err)
	canceled, cancel := context.WithCancel(context.Background())
	result := make(chan error)
	go func() {
		_, err := store.Query(canceled, "up", now)
		result <- err
	}()
	cancel()
	require.ErrorIs(t, <-result, metricstore.ErrCanceled)
	store.tracker.Delete(slot)
	assert.Len(t, instant(t, store, "up", now), 1)
}
