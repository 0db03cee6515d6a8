package sqlstore

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
)

// expiring is a report that an alert fires, and does so for a minute.
func expiring(start, reported time.Time, labels ...string) alert.Alert {
	a := firing(start, reported, labels...)
	a.ExpiresAt = reported.Add(time.Minute)
	return a
}

// expired gives the alerts that have expired before a time, by their label n.
func expired(t testing.TB, s *Store, before time.Time, limit int) (names []string) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx incident.Tx) {
		names = nil
		records, err := tx.ExpiredAlerts(ctx, before, limit)
		require.NoError(t, err)
		for _, r := range records {
			names = append(names, r.Labels["n"])
		}
	})
	return names
}

// expire ends them, and gives what that changed.
func expire(t testing.TB, s *Store, before time.Time) (changes []alert.Change) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx incident.Tx) {
		records, err := tx.ExpiredAlerts(ctx, before, 100)
		require.NoError(t, err)
		reports := make([]alert.Alert, len(records))
		for i := range records {
			reports[i] = records[i].Expiry()
		}
		changes, err = tx.Intake(ctx, reports, window)
		require.NoError(t, err)
	})
	return changes
}

func TestExpiredAlerts(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		over := expiring(noon, noon, "n", "over")
		over.Status, over.EndsAt, over.ExpiresAt = alert.Resolved, noon, time.Time{}
		intake(t, s, expiring(noon, noon.Add(time.Hour), "n", "fresh"), expiring(noon, noon.Add(time.Second), "n", "second"),
			expiring(noon, noon, "n", "first"), firing(noon, noon, "n", "for ever"), over)
		assert.Equal(t, []string{"first", "second"}, expired(t, s, noon.Add(2*time.Minute), 10))
		assert.Equal(t, []string{"first"}, expired(t, s, noon.Add(2*time.Minute), 1))
		assert.Empty(t, expired(t, s, noon.Add(time.Minute), 10), "at its time it fires still")
		intake(t, s, firing(noon, noon.Add(time.Minute), "n", "first"))
		assert.Equal(t, []string{"second"}, expired(t, s, noon.Add(2*time.Minute), 10), "the last report has no expiry")
	})
}

func TestExpiryEndsAnAlert(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		id := intake(t, s, expiring(noon, noon))[0].After.ID
		changes := expire(t, s, noon.Add(time.Hour))
		require.Len(t, changes, 1)
		assert.True(t, changes[0].Expired())
		assert.Empty(t, expire(t, s, noon.Add(time.Hour)), "it is over")

		stored, err := s.Alert(t.Context(), id)
		require.NoError(t, err)
		assert.True(t, stored.Expired())
		assert.Equal(t, noon.Add(time.Minute), stored.EndsAt)
		assert.Equal(t, noon, stored.UpdatedAt, "the end is nobody's report")

		assert.Empty(t, intake(t, s, expiring(noon, noon)), "a replay of what it follows from")
		changes = intake(t, s, expiring(noon, noon.Add(30*time.Second)))
		require.Len(t, changes, 1, "a report that was late")
		assert.True(t, changes[0].Fired())
		assert.Equal(t, id, changes[0].After.ID)
		assert.Zero(t, changes[0].After.Flaps())
	})
}

func TestNewestAlerts(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		odd := firing(noon, noon, "n", "a\x00b")
		reports := []alert.Alert{firing(noon, noon, "n", "one"), odd, firing(noon, noon, "n", "none")}
		intake(t, s, resolved(noon, noon, noon, "n", "one"), odd)
		later := noon.Add(3 * window)
		id := intake(t, s, firing(later, later, "n", "one"))[0].After.ID
		write(t, s, func(ctx context.Context, tx incident.Tx) {
			newest, err := tx.NewestAlerts(ctx, reports)
			require.NoError(t, err)
			require.Len(t, newest, 2)
			assert.Equal(t, id, newest[reports[0].Fingerprint()].ID)
			assert.Equal(t, noon, newest[odd.Fingerprint()].StartsAt)
			none, err := tx.NewestAlerts(ctx, nil)
			require.NoError(t, err)
			assert.Empty(t, none)
		})
	})
}
