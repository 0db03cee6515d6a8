package incidentexporter

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/state"
)

// expiring is a report of now that an alert fires for another minute.
func expiring(name string, start time.Time) alert.Alert {
	a := firing(name, start)
	a.UpdatedAt = time.Now()
	a.ExpiresAt = a.UpdatedAt.Add(time.Minute)
	return a
}

// status of the only incident.
func (s *testStore) status(t *testing.T) incident.Status {
	all := s.incidents(t)
	require.Len(t, all, 1)
	return all[0].Status
}

func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestAlertsThatNobodyReportsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := openSQLite(t)
		e, stop := start(t, store, settings(), nil)
		defer stop()
		begun := time.Now()
		for range 10 { // a minute each: reporters that are there
			require.NoError(t, e.ConsumeMetrics(t.Context(), metrics(t, expiring("Slow", begun))))
			pass(time.Minute)
			assert.Equal(t, incident.Open, store.status(t))
		}
		pass(30 * time.Second) // within the clock skew
		assert.Equal(t, incident.Open, store.status(t))
		pass(time.Minute)
		assert.Equal(t, incident.Mitigated, store.status(t))
	})
}

func TestNothingExpiresInTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := openSQLite(t)
		_, err := incident.NewCorrelator(store, mustRules(t), time.Now).Handle(t.Context(), []alert.Alert{expiring("Slow", time.Now())})
		require.NoError(t, err)
		pass(time.Hour) // the collector was down
		_, stop := start(t, store, settings(), nil)
		defer stop()
		pass(4*time.Minute + 50*time.Second)
		assert.Equal(t, incident.Open, store.status(t), "its reporter had no time yet")
		store.away.Store(true)
		pass(time.Hour)
		store.away.Store(false)
		pass(4 * time.Minute)
		assert.Equal(t, incident.Open, store.status(t), "the store was away")
		pass(2 * time.Minute)
		assert.Equal(t, incident.Mitigated, store.status(t))
	})
}

func mustRules(t *testing.T) incident.Correlation {
	rules, err := createDefaultConfig().(*Config).correlation()
	require.NoError(t, err)
	return rules
}

// TestAReportInTheQueueWins has the sweep find an alert expired whose next report waits in the queue.
func TestAReportInTheQueueWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := openSQLite(t)
		begun := time.Now()
		e, stop := start(t, store, settings(), func(cfg *Config) { cfg.ExpiryGrace = 0 })
		defer stop()
		require.NoError(t, e.ConsumeMetrics(t.Context(), metrics(t, expiring("Slow", begun))))
		synctest.Wait()
		// Something else holds the queue up, and nothing fails.
		blocked := make(chan struct{})
		store.hold.Store(&blocked)
		require.NoError(t, e.ConsumeMetrics(t.Context(), metrics(t, firing("Other", begun))))
		synctest.Wait()
		pass(50 * time.Second)
		require.NoError(t, e.ConsumeMetrics(t.Context(), metrics(t, expiring("Slow", begun))))
		pass(85 * time.Second) // the first report has expired, the second has not
		close(blocked)
		pass(14 * time.Second)
		for _, event := range timeline(t, store) {
			assert.NotContains(t, event.Content, "any more")
		}
		assert.Equal(t, incident.Open, store.status(t))
	})
}

func timeline(t *testing.T, store *testStore) []incident.TimelineEvent {
	told, err := store.Timeline(t.Context(), store.incidents(t)[0].ID, state.Page{Limit: state.MaxPageSize})
	require.NoError(t, err)
	return told.Events
}

func TestASleepOfTheMachineIsAnOutage(t *testing.T) {
	x := newExpiry(5*time.Minute, 15*time.Second)
	now := time.Now()
	x.begin(now)
	for range 20 {
		now = now.Add(15 * time.Second)
		x.tick(now)
	}
	assert.True(t, x.due(now))
	// The wall clock goes on while the machine sleeps, the monotonic one does not.
	x.lastTick = x.lastTick.Add(-time.Hour)
	x.tick(now.Add(15 * time.Second))
	assert.False(t, x.due(now.Add(15*time.Second)))
}

func TestAMarkThatIsLostIsSentAgain(t *testing.T) {
	x := newExpiry(0, time.Second)
	now := time.Now()
	assert.True(t, x.mark(now))
	assert.False(t, x.mark(now.Add(time.Minute)))
	assert.True(t, x.mark(now.Add(markLife)))
	x.unmark()
	assert.True(t, x.mark(now))
}

func TestAlertsWithAReceiptAreStoredAtOnce(t *testing.T) {
	store := openSQLite(t)
	e, stop := start(t, store, settings(), nil) // with its queue
	defer stop()
	raise := func(alerts ...alert.Alert) ([]alert.Record, bool, error) {
		ctx, receipt := alert.WithReceipt(t.Context())
		err := e.ConsumeMetrics(ctx, metrics(t, alerts...))
		records, filled := receipt.Stored()
		return records, filled, err
	}
	records, filled, err := raise(firing("Slow", time.Now()), firing("Down", time.Now()))
	require.NoError(t, err)
	require.True(t, filled)
	require.Len(t, records, 2)
	assert.Equal(t, []string{"Slow", "Down"}, []string{records[0].Name(), records[1].Name()})
	stored, err := store.Alert(t.Context(), records[1].ID)
	require.NoError(t, err)
	assert.Equal(t, records[1], stored)

	store.away.Store(true)
	_, filled, err = raise(firing("Lost", time.Now()))
	require.ErrorIs(t, err, state.ErrUnavailable)
	assert.False(t, filled)
	store.away.Store(false)
	require.NoError(t, e.ConsumeMetrics(t.Context(), metrics(t, firing("Last", time.Now()))))
	require.Eventually(t, func() bool { return store.incidents(t)[0].AlertCount == 3 }, 20*time.Second, 10*time.Millisecond)
	list, err := store.Alerts(context.Background(), alert.Query{})
	require.NoError(t, err)
	for _, a := range list.Alerts {
		assert.NotEqual(t, "Lost", a.Name(), "what was refused is not stored later")
	}

	store.refuse = "Bad"
	_, _, err = raise(firing("Bad", time.Now()))
	require.ErrorIs(t, err, state.ErrConflict)
}
