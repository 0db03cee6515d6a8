package incident_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
)

// expiring is a report of now that an alert fires for another minute.
func expiring(name string, start time.Time) alert.Alert {
	a := firing(name, alert.High, start)
	a.ExpiresAt = a.UpdatedAt.Add(time.Minute)
	return a
}

func (b *bench) expire() incident.Outcome {
	b.t.Helper()
	outcome, err := b.correlator.Expire(b.t.Context(), time.Now())
	require.NoError(b.t, err)
	return outcome
}

func (b *bench) hasExpired() bool {
	b.t.Helper()
	has, err := b.correlator.HasExpired(b.t.Context(), time.Now())
	require.NoError(b.t, err)
	return has
}

func TestExpiryMitigatesTheIncident(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		slow := expiring("Slow", time.Now())
		b.handle(slow)
		pass(time.Minute)
		assert.False(t, b.hasExpired())
		assert.Zero(t, b.expire())
		pass(time.Minute)
		assert.True(t, b.hasExpired())
		assert.Equal(t, incident.Outcome{AlertsResolved: 1, AlertsExpired: 1, Mitigated: 1}, b.expire())
		assert.Zero(t, b.expire())
		assert.Equal(t, incident.Mitigated, b.only().Status)
		event := b.timeline(b.only().ID)[2]
		assert.Equal(t, "Slow is over: it was not reported any more", event.Content)
		assert.Equal(t, true, event.Metadata["expired"])
		assert.Equal(t, slow.ExpiresAt.UTC().Format(time.RFC3339Nano), event.Metadata["endsAt"])

		again := expiring("Slow", slow.StartsAt)
		assert.Equal(t, incident.Outcome{AlertsFired: 1, Reopened: 1}, b.handle(again), "its reporter was late")
		assert.Equal(t, incident.Open, b.only().Status)
	})
}

func TestExpiryOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		const many = 1100 // more than two transactions
		reports := make([]alert.Alert, many)
		for i := range reports {
			reports[i] = expiring(fmt.Sprint("Alert", i), time.Now())
		}
		b.handle(reports...)
		pass(2 * time.Minute)
		assert.Equal(t, incident.Outcome{AlertsResolved: many, AlertsExpired: many, Mitigated: 1}, b.expire())
	})
}

func TestRaise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		raise := func() (alert.Record, incident.Outcome) {
			stored, outcome, err := b.correlator.Raise(t.Context(), []alert.Alert{firing("Slow", alert.High, time.Now())})
			require.NoError(t, err)
			require.Len(t, stored, 1)
			return stored[0], outcome
		}
		first, outcome := raise()
		assert.Equal(t, incident.Outcome{AlertsFired: 1, Opened: 1}, outcome)
		assert.Equal(t, alert.Firing, first.Status)
		pass(3 * time.Hour) // longer than the flap window
		again, outcome := raise()
		assert.Zero(t, outcome)
		assert.Equal(t, []any{first.ID, first.StartsAt, time.Now().UTC()}, []any{again.ID, again.StartsAt, again.UpdatedAt}, "it is the same alert")

		change, err := b.byHand(again.ID)
		require.NoError(t, err)
		require.Equal(t, alert.Resolved, change.After.Status)
		anew, outcome := raise() // at the very moment
		assert.Equal(t, alert.Firing, anew.Status)
		assert.Empty(t, anew.ResolvedBy)
		assert.Equal(t, 1, outcome.AlertsFired+outcome.AlertsFlapped)
	})
}
