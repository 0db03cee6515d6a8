package sqlstore

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/state"
)

func acknowledge(t testing.TB, s *Store, a incident.Acknowledgement) (stored incident.Acknowledgement) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx incident.Tx) {
		var err error
		stored, err = tx.Acknowledge(ctx, a)
		require.NoError(t, err)
	})
	return stored
}

// holding gives the acknowledgements that hold now for the alerts, by who made them, and checks that both questions
// get the same answer.
func holding(t testing.TB, s *Store) map[string]string {
	t.Helper()
	by := map[string]string{}
	var ids []string
	for _, r := range alerts(t, s) {
		ids = append(ids, r.ID)
	}
	cases, err := s.Cases(t.Context(), ids)
	require.NoError(t, err)
	require.Len(t, cases, len(ids))
	for _, c := range cases {
		if a := c.Acknowledged(time.Now()); a != nil {
			by[c.Alert.Labels["n"]] = a.By
		}
	}
	board := incident.AcknowledgedAlerts{Reader: s, Now: time.Now}
	for _, c := range cases {
		a, err := board.Of(t.Context(), c.Alert.Fingerprint())
		require.NoError(t, err)
		got := ""
		if a != nil {
			got = a.By
		}
		require.Equal(t, by[c.Alert.Labels["n"]], got)
	}
	return by
}

func TestAcknowledgementOfAnAlert(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		start := time.Now().Add(-time.Hour).UTC().Truncate(time.Microsecond)
		intake(t, s, firing(start, start, "n", "1"), firing(start, start, "n", "2"))
		id := alerts(t, s)[0].ID
		n := alerts(t, s)[0].Labels["n"]
		expires := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
		a := acknowledge(t, s, incident.Acknowledgement{AlertID: id, By: "ada", Comment: "It's me", ExpiresAt: expires})
		assert.Equal(t, []any{"ada", "It's me", expires, alert.High, 0}, []any{a.By, a.Comment, a.ExpiresAt, a.Severity, a.Flaps})
		assert.Equal(t, map[string]string{n: "ada"}, holding(t, s))
		cases, err := s.Cases(t.Context(), []string{id})
		require.NoError(t, err)
		assert.Equal(t, a, *cases[id].Own)

		acknowledge(t, s, incident.Acknowledgement{AlertID: id, By: "eve"})
		assert.Equal(t, map[string]string{n: "eve"}, holding(t, s), "in place of the one before")
		refused(t, s, "acknowledgements_one_of_an_alert", `UPDATE acknowledgements SET ended_at = NULL, end_reason = ''`)
		refused(t, s, "acknowledgements_of_one_thing", `UPDATE acknowledgements SET alert_id = NULL`)
		refused(t, s, "acknowledgements_end_has_reason", `UPDATE acknowledgements SET end_reason = ''`)
		refused(t, s, "acknowledgements_expire_later", `UPDATE acknowledgements SET expires_at = acknowledged_at`)

		write(t, s, func(ctx context.Context, tx incident.Tx) {
			ended, err := tx.WithdrawAlert(ctx, id, "bob")
			require.NoError(t, err)
			assert.Equal(t, []any{"eve", "bob", incident.Withdrawn}, []any{ended.By, ended.EndedBy, ended.EndReason})
		})
		assert.Empty(t, holding(t, s))
		for _, unknown := range []string{id, newID(), "x"} {
			err := s.Write(t.Context(), func(ctx context.Context, tx incident.Tx) error {
				_, err := tx.WithdrawAlert(ctx, unknown, "bob")
				return err
			})
			require.ErrorIs(t, err, state.ErrNotFound)
		}
	})
}

// What happens to an alert ends its acknowledgement for good.
func TestWhatEndsAnAcknowledgement(t *testing.T) {
	start := time.Now().Add(-time.Hour).UTC().Truncate(time.Microsecond)
	worse := firing(start, start.Add(time.Minute))
	worse.Severity = alert.Critical
	lesser := firing(start, start.Add(2*time.Minute))
	lesser.Severity = alert.Low
	over := resolved(start, start.Add(3*time.Minute), start.Add(3*time.Minute))
	again := firing(start.Add(4*time.Minute), start.Add(4*time.Minute))
	for name, c := range map[string]struct {
		reports []alert.Alert
		reason  string
	}{
		"worse":                 {[]alert.Alert{worse}, "worsened"},
		"worse, and then less":  {[]alert.Alert{worse, lesser}, ""},
		"less":                  {[]alert.Alert{lesser}, ""},
		"over":                  {[]alert.Alert{over}, "resolved"},
		"over, and again, once": {[]alert.Alert{over, again}, "fired_again"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s *Store) {
				intake(t, s, firing(start, start))
				a := acknowledge(t, s, incident.Acknowledgement{AlertID: alerts(t, s)[0].ID, By: "ada"})
				intake(t, s, c.reports...)
				var reason string
				require.NoError(t, s.db.NewSelect().Table("acknowledgements").Column("end_reason").Where("id = ?", a.ID).Scan(t.Context(), &reason))
				assert.Equal(t, c.reason, reason)
				assert.Equal(t, c.reason == "", len(holding(t, s)) == 1)
				for _, r := range c.reports { // one by one
					intake(t, s, r)
				}
				err := s.Write(t.Context(), func(ctx context.Context, tx incident.Tx) error {
					_, err := tx.Acknowledge(ctx, incident.Acknowledgement{AlertID: a.AlertID, By: "eve"})
					return err
				})
				assert.Equal(t, alerts(t, s)[0].Status == alert.Resolved, err != nil)
			})
		})
	}
}

func TestAcknowledgementOfAnIncident(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		start := time.Now().Add(-time.Hour).UTC().Truncate(time.Microsecond)
		intake(t, s, firing(start, start, "n", "1"), firing(start, start, "n", "2"), firing(start, start, "n", "3"))
		id := map[string]string{}
		for _, r := range alerts(t, s) {
			id[r.Labels["n"]] = r.ID
		}
		in := newIncident(t, s, incident.Incident{})
		link := func(n string) {
			write(t, s, func(ctx context.Context, tx incident.Tx) {
				require.NoError(t, tx.LinkAlerts(ctx, incident.Links{in.ID: {id[n]}}))
			})
		}
		link("1")
		a := acknowledge(t, s, incident.Acknowledgement{IncidentID: in.ID, By: "ada"})
		link("2")
		assert.Equal(t, map[string]string{"1": "ada"}, holding(t, s), "one that joined later is news")
		acknowledge(t, s, incident.Acknowledgement{AlertID: id["2"], By: "eve"})
		assert.Equal(t, map[string]string{"1": "ada", "2": "eve"}, holding(t, s))
		of, err := s.IncidentAcknowledgements(t.Context(), []string{in.ID, newID()})
		require.NoError(t, err)
		assert.Equal(t, map[string]incident.Acknowledgement{in.ID: a}, of)

		update := func(change func(*incident.Incident)) {
			write(t, s, func(ctx context.Context, tx incident.Tx) {
				in, err := tx.Incident(ctx, in.ID)
				require.NoError(t, err)
				change(&in)
				_, err = tx.UpdateIncident(ctx, in)
				require.NoError(t, err)
			})
		}
		update(func(in *incident.Incident) { in.Status = incident.Investigating })
		assert.Len(t, holding(t, s), 2)
		update(func(in *incident.Incident) { in.Severity = alert.Critical })
		assert.Equal(t, map[string]string{"2": "eve"}, holding(t, s), "it is worse")
		acknowledge(t, s, incident.Acknowledgement{IncidentID: in.ID, By: "bob"})
		assert.Equal(t, map[string]string{"1": "bob", "2": "eve"}, holding(t, s))
		update(func(in *incident.Incident) { in.Status = incident.Resolved })
		update(func(in *incident.Incident) { in.Status, in.ResolvedAt = incident.Open, time.Time{} })
		assert.Equal(t, map[string]string{"2": "eve"}, holding(t, s), "what has ended never holds again")
		write(t, s, func(ctx context.Context, tx incident.Tx) {
			_, err := tx.WithdrawIncident(ctx, in.ID, "bob")
			require.ErrorIs(t, err, state.ErrNotFound)
		})
	})
}

func TestHeldAlerts(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		intake(t, s, firing(noon, noon, "n", "1"), firing(noon, noon, "n", "2"), firing(noon, noon, "n", "3"))
		id := map[string]string{}
		for _, r := range alerts(t, s) {
			id[r.Labels["n"]] = r.ID
		}
		why := []alert.Mute{{Kind: alert.MutedByMaintenance, ID: newID(), Name: "It's \"new\""}}
		mute := func(held bool, names ...string) {
			var muted []incident.Muted
			for _, n := range names {
				muted = append(muted, incident.Muted{AlertID: id[n], At: noon, By: why, Held: held})
			}
			write(t, s, func(ctx context.Context, tx incident.Tx) { require.NoError(t, tx.Mute(ctx, muted)) })
		}
		held := func() (names []string) {
			after := ""
			for {
				page, err := s.HeldAlerts(t.Context(), after, 1)
				require.NoError(t, err)
				if len(page) == 0 {
					return names
				}
				assert.Equal(t, why, page[0].By)
				names, after = append(names, page[0].Labels["n"]), page[0].ID
			}
		}
		mute(true, "1", "2", "3")
		mute(true, "1", "2", "3")
		assert.ElementsMatch(t, []string{"1", "2", "3"}, held())
		intake(t, s, resolved(noon, noon.Add(time.Minute), noon.Add(time.Minute), "n", "1"))
		assert.ElementsMatch(t, []string{"2", "3"}, held(), "one that is resolved is not held")
		of, err := s.MutesOf(t.Context(), []string{id["1"], id["2"]})
		require.NoError(t, err)
		assert.Equal(t, incident.Muted{AlertID: id["1"], At: noon, By: why}, of[id["1"]], "why is kept")
		assert.True(t, of[id["2"]].Held)
		in := newIncident(t, s, incident.Incident{})
		write(t, s, func(ctx context.Context, tx incident.Tx) {
			require.NoError(t, tx.LinkAlerts(ctx, incident.Links{in.ID: {id["2"]}}))
			still, err := tx.StillHeld(ctx, []string{id["1"], id["2"], id["3"]})
			require.NoError(t, err)
			require.Len(t, still, 1)
			assert.Equal(t, id["3"], still[0].ID)
		})
		write(t, s, func(ctx context.Context, tx incident.Tx) { require.NoError(t, tx.Unmute(ctx, []string{id["3"]})) })
		assert.Empty(t, held())

		write(t, s, func(ctx context.Context, tx incident.Tx) {
			_, err := tx.ReopenAlert(ctx, id["1"], 0)
			require.NoError(t, err)
		})
		assert.Equal(t, []string{"1"}, held(), "a resolve by hand was taken back")
		in, err = s.Incident(t.Context(), in.ID)
		require.NoError(t, err)
		in.Status = incident.Resolved
		in, err = update(s, in)
		require.NoError(t, err)
		mute(true, "2")
		in.Status = incident.Open
		_, err = update(s, in)
		require.NoError(t, err)
		assert.Equal(t, []string{"1"}, held(), "its incident has it again")
	})
}
