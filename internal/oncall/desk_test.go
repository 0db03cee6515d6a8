package oncall_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/oncall"
	"github.com/quantivista/monitoring/internal/state"
)

func TestLinkAndUnlink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		slow, low := firing("Slow", "cart", alert.Medium, time.Now()), firing("Low", "shop", alert.Low, time.Now())
		b.handle(slow, low)
		in := b.incidents()[0].ID
		b.handle(resolved(slow))
		require.Equal(t, incident.Mitigated, b.incident(in).Status)
		lowID := b.alertOf("Low").ID

		got, err := b.desk.Link(t.Context(), in, "ann", anyVersion, []string{lowID, lowID})
		require.NoError(t, err)
		assert.Equal(t, []any{incident.Open, alert.Medium, []string{"cart", "shop"}}, []any{got.Status, got.Severity, got.AffectedServices})
		same, err := b.desk.Link(t.Context(), in, "ann", anyVersion, []string{lowID})
		require.NoError(t, err)
		assert.Equal(t, got, same, "nothing changes")

		got, err = b.desk.Unlink(t.Context(), in, "bob", anyVersion, lowID)
		require.NoError(t, err)
		assert.Equal(t, incident.Mitigated, got.Status)
		_, err = b.desk.Unlink(t.Context(), in, "bob", anyVersion, lowID)
		require.ErrorIs(t, err, state.ErrNotFound)
		assert.Equal(t, []string{
			"alert ann: Alerts linked: Low",
			"system ann: Affected services added: shop",
			"status_change monitoring-system: Status changed from 'mitigated' to 'open': a firing alert was linked",
			"alert bob: Alert unlinked: Low",
			"status_change monitoring-system: Status changed from 'open' to 'mitigated': no alert that is left fires",
		}, b.told(in)[4:])
		metadata := b.timeline(in)[7].Metadata
		assert.Equal(t, []any{in, nil, lowID}, []any{metadata["oldIncidentId"], metadata["newIncidentId"], metadata["alertId"]})
	})
}

func TestUnlinkedAlertStaysOutUntilItFiresAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		slow, down := firing("Slow", "cart", alert.Medium, time.Now()), firing("Down", "cart", alert.High, time.Now())
		b.handle(slow, down)
		in := b.incidents()[0].ID
		id := b.alertOf("Slow").ID
		_, err := b.desk.Unlink(t.Context(), in, "ann", anyVersion, id)
		require.NoError(t, err)
		slow.Severity = alert.Critical
		pass(time.Minute)
		slow.UpdatedAt = time.Now()
		b.handle(slow)
		assert.Len(t, b.related(in), 1, "it became worse, and is the same episode")
		b.handle(resolved(down))
		pass(time.Minute)
		b.handle(firing("Down", "cart", alert.High, time.Now()))
		pass(3 * time.Hour)
		b.handle(firing("Other", "shop", alert.High, time.Now()))
		assert.Len(t, b.related(in), 1)

		b.handle(resolved(slow))
		pass(time.Minute)
		b.handle(firing("Slow", "cart", alert.Medium, time.Now()))
		assert.Len(t, b.related(in), 2, "a new episode")
	})
}

func TestMerge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		cart, shop := firing("Slow", "cart", alert.Medium, time.Now()), firing("Down", "shop", alert.Critical, time.Now())
		b.handle(cart)
		into := b.incidents()[0].ID
		pass(time.Second)
		b.handle(shop)
		from := b.incidents()[0].ID
		b.handle(resolved(cart))
		require.Equal(t, incident.Mitigated, b.incident(into).Status)

		got, err := b.desk.Merge(t.Context(), into, "ann", anyVersion, oncall.Merge{From: []string{from}, Comment: "One cause"})
		require.NoError(t, err)
		assert.Equal(t, []any{incident.Open, alert.Critical, []string{"cart", "shop"}}, []any{got.Status, got.Severity, got.AffectedServices})
		assert.Len(t, b.related(into), 2)
		assert.Len(t, b.related(from), 1, "it keeps what it was about")
		assert.Equal(t, []any{incident.Resolved, into}, []any{b.incident(from).Status, b.incident(from).MergedInto})
		assert.Equal(t, []string{
			"action ann: Merged: 'Down on shop'",
			"comment ann: One cause",
			"system ann: Severity raised from 'medium' to 'critical'",
			"system ann: Affected services added: shop",
			"status_change monitoring-system: Status changed from 'mitigated' to 'open': an alert of a merged incident fires",
		}, b.told(into)[4:])
		assert.Equal(t, []any{from}, b.timeline(into)[4].Metadata["mergedIncidentIds"])
		last := b.timeline(from)[2]
		assert.Equal(t, "Status changed from 'open' to 'resolved': merged into 'Slow on cart'", last.Content)
		assert.Equal(t, []any{into, "open", "resolved"}, []any{last.Metadata["mergedInto"], last.Metadata["oldStatus"], last.Metadata["newStatus"]})

		b.handle(firing("Late", "shop", alert.High, time.Now()))
		assert.Len(t, b.related(into), 3, "alerts of the merged one's key go to the target")
		_, err = b.desk.Change(t.Context(), from, "ann", anyVersion, oncall.IncidentChange{Status: incident.Open})
		require.ErrorIs(t, err, state.ErrConflict)

		b.handle(resolved(shop), resolved(firing("Late", "shop", alert.High, time.Now())))
		pass(11 * time.Minute)
		_, err = b.correlator.Sweep(t.Context())
		require.NoError(t, err)
		require.Equal(t, incident.Resolved, b.incident(into).Status)
		b.handle(firing("Down", "shop", alert.Critical, time.Now()), firing("Slow", "cart", alert.Medium, time.Now()))
		assert.Equal(t, incident.Open, b.incident(into).Status, "it comes back where it went")
		assert.Len(t, b.incidents(), 2)
		_, err = b.desk.Change(t.Context(), into, "ann", anyVersion, oncall.IncidentChange{Status: incident.Resolved})
		require.NoError(t, err)
		pass(3 * time.Hour)
		b.handle(firing("Down", "shop", alert.Critical, time.Now()))
		assert.Len(t, b.incidents(), 3, "long after, it is another one")
	})
}

func TestMergesThatAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		open := func() string {
			in, err := b.desk.Open(t.Context(), "ann", &oncall.NewIncident{Title: "T", Severity: alert.Low})
			require.NoError(t, err)
			return in.ID
		}
		one, two, over := open(), open(), open()
		_, err := b.desk.Change(t.Context(), over, "ann", anyVersion, oncall.IncidentChange{Status: incident.Resolved})
		require.NoError(t, err)
		merge := func(into string, from ...string) error {
			_, err := b.desk.Merge(t.Context(), into, "ann", anyVersion, oncall.Merge{From: from})
			return err
		}
		require.ErrorIs(t, merge(one, two, over), state.ErrConflict)
		require.ErrorIs(t, merge(over, one), state.ErrConflict)
		require.ErrorContains(t, merge(one, two, one), "into itself")
		var unknown *oncall.UnknownIncidentError
		require.ErrorAs(t, merge(one, two, "x"), &unknown)
		assert.Equal(t, incident.Open, b.incident(two).Status, "all or none")
		stale := errors.New("stale")
		_, err = b.desk.Merge(t.Context(), one, "ann", func(int64) error { return stale }, oncall.Merge{From: []string{two}})
		require.ErrorIs(t, err, stale)
		require.NoError(t, merge(one, two, two))
	})
}

func TestCommentsGoWithTheAlert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		low := firing("Low", "cart", alert.Low, time.Now())
		b.handle(low)
		id := b.alertOf("Low").ID
		say := func(text string) {
			_, err := b.desk.ChangeAlert(t.Context(), id, "ann", anyVersion, oncall.AlertChange{Status: alert.Firing, Comment: text})
			require.NoError(t, err)
			pass(time.Second)
		}
		said := time.Now()
		say("known")
		b.handle(firing("Down", "cart", alert.High, time.Now()))
		say("again")
		in := b.incidents()[0].ID
		var told []string
		for _, c := range b.comments(id) {
			assert.Equal(t, in, c.IncidentID)
			told = append(told, c.Content)
		}
		assert.Equal(t, []string{"known", "again"}, told)
		assert.Equal(t, []string{"comment ann: known", "comment ann: again"}, b.told(in)[3:])
		assert.True(t, said.Equal(b.timeline(in)[3].Timestamp), "of the time when it was said")
	})
}
