package sqlstore

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/state"
)

// hostile are texts that must come back as they went, and mean nothing to the database.
var hostile = []string{"x'; DROP TABLE alerts; --", `") OR 1=1 --`, "?0 ?", `{"a":1}`, "'", "$1", "日本"}

func ids(records []alert.Record) (all []string) {
	for _, r := range records {
		all = append(all, r.ID)
	}
	return all
}

func TestUnlinkedAlerts(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		add := func(report alert.Alert) string { return intake(t, s, report)[0].After.ID }
		loose := add(firing(noon, noon, "service", "cart", "team", "a", "n", "1"))
		second := add(firing(noon.Add(time.Second), noon, "job", "cart", "team", "a", "n", "2"))
		add(firing(noon, noon, "service", "shop", "team", "a"))
		add(firing(noon, noon, "service", "cart", "team", "b"))
		add(resolved(noon, noon, noon, "service", "cart", "team", "a", "n", "3"))
		linked := add(firing(noon, noon, "service", "cart", "team", "a", "n", "4"))
		detached := add(firing(noon, noon, "service", "cart", "team", "a", "n", "5"))
		nobodys := add(firing(noon, noon, "n", "6"))
		in, over := newIncident(t, s, incident.Incident{}), newIncident(t, s, incident.Incident{})
		write(t, s, func(ctx context.Context, tx incident.Tx) {
			require.NoError(t, tx.LinkAlerts(ctx, incident.Links{in.ID: {linked}}))
			require.NoError(t, tx.LinkAlerts(ctx, incident.Links{over.ID: {loose}}))
			require.NoError(t, tx.DetachAlerts(ctx, []string{detached}))
		})
		over.Status = incident.Resolved
		_, err := update(s, over)
		require.NoError(t, err)
		find := func(shared incident.Shared) (found []string) {
			write(t, s, func(ctx context.Context, tx incident.Tx) {
				records, err := tx.UnlinkedAlerts(ctx, shared)
				require.NoError(t, err)
				found = ids(records)
			})
			return found
		}
		team := []alert.Matcher{{Name: "team", Op: alert.MatchEqual, Value: "a"}}
		assert.Equal(t, []string{loose, second}, find(incident.Shared{Service: new("cart"), Labels: team}))
		assert.Len(t, find(incident.Shared{Labels: team}), 3)
		assert.Equal(t, []string{nobodys}, find(incident.Shared{Service: new("")}))
		for _, text := range hostile {
			assert.Empty(t, find(incident.Shared{Service: &text}))
			assert.Empty(t, find(incident.Shared{Labels: []alert.Matcher{{Name: text, Op: alert.MatchEqual, Value: text}}}))
		}
		intake(t, s, firing(noon.Add(time.Minute), noon.Add(time.Minute), "service", "cart", "team", "a", "n", "5"))
		assert.Contains(t, find(incident.Shared{Service: new("cart")}), detached, "it fired anew")
	})
}

func TestDetachments(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		one := intake(t, s, firing(noon, noon, "n", "1"))[0].After.ID
		two := intake(t, s, firing(noon, noon, "n", "2"))[0].After.ID
		in := newIncident(t, s, incident.Incident{})
		write(t, s, func(ctx context.Context, tx incident.Tx) {
			require.NoError(t, tx.DetachAlerts(ctx, nil))
			require.NoError(t, tx.DetachAlerts(ctx, []string{one, two}))
			require.NoError(t, tx.DetachAlerts(ctx, []string{one}), "again")
			detached, err := tx.Detached(ctx, []string{one, two, newID()})
			require.NoError(t, err)
			assert.Equal(t, map[string]time.Time{one: noon, two: noon}, detached)
			require.NoError(t, tx.LinkAlerts(ctx, incident.Links{in.ID: {one}}))
			detached, err = tx.Detached(ctx, []string{one, two})
			require.NoError(t, err)
			assert.Equal(t, map[string]time.Time{two: noon}, detached)
		})
	})
}

func TestAlertComments(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		one := intake(t, s, firing(noon, noon, "n", "1"))[0].After.ID
		two := intake(t, s, firing(noon, noon, "n", "2"))[0].After.ID
		in := newIncident(t, s, incident.Incident{})
		var stored []incident.AlertComment
		write(t, s, func(ctx context.Context, tx incident.Tx) {
			for i, text := range hostile {
				c, err := tx.CommentAlert(ctx, incident.AlertComment{AlertID: one, CreatedBy: text, Content: text, CreatedAt: noon.Add(time.Duration(i))})
				require.NoError(t, err)
				assert.Equal(t, []string{text, text}, []string{c.CreatedBy, c.Content})
				stored = append(stored, c)
			}
			_, err := tx.CommentAlert(ctx, incident.AlertComment{AlertID: two, CreatedBy: "me", Content: "told", IncidentID: in.ID})
			require.NoError(t, err)
			for _, unknown := range []string{newID(), "x'"} {
				_, err = tx.CommentAlert(ctx, incident.AlertComment{AlertID: unknown})
				require.ErrorIs(t, err, state.ErrNotFound)
			}
			untold, err := tx.UntoldComments(ctx, []string{one, two})
			require.NoError(t, err)
			assert.Equal(t, stored, untold)
			require.NoError(t, tx.CommentsTold(ctx, in.ID, []string{stored[0].ID}))
			require.NoError(t, tx.CommentsTold(ctx, in.ID, nil))
			untold, err = tx.UntoldComments(ctx, []string{one, two})
			require.NoError(t, err)
			assert.Equal(t, stored[1:], untold)
		})
		stored[0].IncidentID = in.ID
		got, err := s.AlertComments(t.Context(), one, 100)
		require.NoError(t, err)
		assert.Equal(t, stored, got)
		got, err = s.AlertComments(t.Context(), one, 2)
		require.NoError(t, err)
		assert.Equal(t, stored[len(stored)-2:], got, "the last ones")
		_, err = s.AlertComments(t.Context(), "x'", 1)
		require.ErrorIs(t, err, state.ErrNotFound)
	})
}

// TestWhatPeopleDidSurvivesAMergeOfRows checks that of two rows that a late report makes one, nothing is lost.
func TestWhatPeopleDidSurvivesAMergeOfRows(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		first := intake(t, s, resolved(noon, noon.Add(time.Minute), noon.Add(time.Minute)))[0].After.ID
		start := noon.Add(window + 30*time.Minute)
		second := intake(t, s, firing(start, start))[0].After.ID
		require.NotEqual(t, first, second)
		write(t, s, func(ctx context.Context, tx incident.Tx) {
			_, err := tx.CommentAlert(ctx, incident.AlertComment{AlertID: second, CreatedBy: "me", Content: "mine"})
			require.NoError(t, err)
			require.NoError(t, tx.DetachAlerts(ctx, []string{second}))
		})
		between := noon.Add(50 * time.Minute)
		intake(t, s, resolved(between, between.Add(time.Minute), between.Add(time.Minute)))
		require.Len(t, alerts(t, s), 1)
		kept, err := s.AlertComments(t.Context(), first, 10)
		require.NoError(t, err)
		require.Len(t, kept, 1)
		write(t, s, func(ctx context.Context, tx incident.Tx) {
			detached, err := tx.Detached(ctx, []string{first})
			require.NoError(t, err)
			assert.Equal(t, map[string]time.Time{first: start}, detached)
		})
	})
}

func TestRedirectedKeys(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		s.now = func() time.Time { return noon }
		a := newIncident(t, s, incident.Incident{CorrelationKey: "a"})
		b := newIncident(t, s, incident.Incident{CorrelationKey: "b'"})
		c := newIncident(t, s, incident.Incident{})
		merge := func(from *incident.Incident, into string) {
			from.Status, from.MergedInto = incident.Resolved, into
			merged, err := update(s, *from)
			require.NoError(t, err)
			*from = merged
			write(t, s, func(ctx context.Context, tx incident.Tx) { require.NoError(t, tx.RedirectKeys(ctx, from.ID, into)) })
		}
		leads := func(resolved bool) map[string]string {
			to := map[string]string{}
			write(t, s, func(ctx context.Context, tx incident.Tx) {
				found, err := tx.UnresolvedByKey(ctx, []string{"a", "b'", ""})
				if resolved {
					found, err = tx.ResolvedByKey(ctx, []string{"a", "b'", ""}, noon)
				}
				require.NoError(t, err)
				for key, in := range found {
					to[key] = in.ID
				}
			})
			return to
		}
		merge(&a, b.ID)
		assert.Equal(t, map[string]string{"a": b.ID, "b'": b.ID}, leads(false))
		merge(&b, c.ID)
		assert.Equal(t, map[string]string{"a": c.ID, "b'": c.ID}, leads(false), "those that were merged before follow")
		assert.Empty(t, leads(true))

		c.Status = incident.Resolved
		_, err := update(s, c)
		require.NoError(t, err)
		assert.Empty(t, leads(false))
		assert.Equal(t, map[string]string{"a": c.ID, "b'": c.ID}, leads(true), "and never to a merged one")

		next := newIncident(t, s, incident.Incident{CorrelationKey: "a"})
		c.Status, c.Version = incident.Open, c.Version+1
		_, err = update(s, c)
		require.NoError(t, err)
		assert.Equal(t, map[string]string{"a": next.ID, "b'": c.ID}, leads(false), "the key has an incident of its own again")

		stored, err := s.Incident(t.Context(), a.ID)
		require.NoError(t, err)
		assert.Equal(t, b.ID, stored.MergedInto)
		a.Status = incident.Open
		_, err = update(s, a)
		require.ErrorIs(t, err, state.ErrConflict)
		require.ErrorContains(t, err, b.ID)
		refused(t, s, "incidents_merged_stays_resolved", `UPDATE incidents SET status = 'open', resolved_at = NULL WHERE id = ?`, a.ID)
		refused(t, s, "incidents_merged_into_fkey", `UPDATE incidents SET merged_into = ? WHERE id = ?`, newID(), a.ID)
	})
}

func TestRetention(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		s.now = func() time.Time { return noon }
		end := func(n string, minutes int) string {
			at := noon.Add(time.Duration(minutes) * time.Minute)
			return intake(t, s, resolved(at, at, at, "n", n))[0].After.ID
		}
		var old []string
		for i := range 5 {
			old = append(old, end(fmt.Sprint("old", i), -10-i))
		}
		recent, ofOpen, ofOld, ofRecent := end("recent", 0), end("open", -10), end("of old", -10), end("of recent", -10)
		fires := intake(t, s, firing(noon.Add(-time.Hour), noon.Add(-time.Hour), "n", "fires"))[0].After.ID
		byHand := intake(t, s, firing(noon.Add(-time.Hour), noon.Add(-time.Hour), "n", "by hand"))[0].After.ID
		open := newIncident(t, s, incident.Incident{})
		past := newIncident(t, s, incident.Incident{CorrelationKey: "past"})
		last := newIncident(t, s, incident.Incident{CorrelationKey: "last"})
		mergedPast := newIncident(t, s, incident.Incident{CorrelationKey: "merged"})
		write(t, s, func(ctx context.Context, tx incident.Tx) {
			require.NoError(t, tx.LinkAlerts(ctx, incident.Links{open.ID: {ofOpen}}))
			require.NoError(t, tx.LinkAlerts(ctx, incident.Links{past.ID: {ofOld}}))
			require.NoError(t, tx.LinkAlerts(ctx, incident.Links{last.ID: {ofRecent}}))
			_, err := tx.AppendEvents(ctx, incident.TimelineEvent{IncidentID: past.ID, Type: incident.Comment, Content: "c", CreatedBy: "me"})
			require.NoError(t, err)
			_, err = tx.CommentAlert(ctx, incident.AlertComment{AlertID: ofOld, Content: "c", CreatedBy: "me", IncidentID: past.ID})
			require.NoError(t, err)
			_, err = tx.CommentAlert(ctx, incident.AlertComment{AlertID: ofOpen, Content: "c", CreatedBy: "me", IncidentID: past.ID})
			require.NoError(t, err)
			require.NoError(t, tx.DetachAlerts(ctx, old))
			require.NoError(t, tx.RedirectKeys(ctx, mergedPast.ID, past.ID))
			s.now = func() time.Time { return noon.Add(-time.Minute * 30) }
			_, err = tx.ResolveAlert(ctx, byHand, 0, "me")
			require.NoError(t, err)
			s.now = func() time.Time { return noon }
		})
		intake(t, s, firing(noon.Add(-time.Hour), noon, "n", "by hand"))
		for _, in := range []*incident.Incident{&past, &mergedPast} {
			in.Status, in.ResolvedAt = incident.Resolved, noon.Add(-10*time.Minute)
		}
		mergedPast.MergedInto = past.ID
		last.Status, last.ResolvedAt = incident.Resolved, noon
		for _, in := range []incident.Incident{past, mergedPast, last} {
			_, err := update(s, in)
			require.NoError(t, err)
		}
		var incidents, gone []int
		write(t, s, func(ctx context.Context, tx incident.Tx) {
			for range 3 {
				n, err := tx.DeleteIncidents(ctx, noon, 1)
				require.NoError(t, err)
				incidents = append(incidents, n)
			}
			for range 4 {
				n, err := tx.DeleteAlerts(ctx, noon, 3)
				require.NoError(t, err)
				gone = append(gone, n)
			}
		})
		assert.Equal(t, []int{1, 1, 0}, incidents)
		assert.Equal(t, []int{3, 3, 0, 0}, gone)
		assert.ElementsMatch(t, []string{recent, ofOpen, ofRecent, fires, byHand}, ids(alerts(t, s)),
			"what fires, is new, is in an incident, or is reported to fire, stays")
		kept, err := s.AlertComments(t.Context(), ofOpen, 10)
		require.NoError(t, err)
		require.Len(t, kept, 1)
		assert.Empty(t, kept[0].IncidentID)
		for _, table := range []string{"timeline_events", "alert_detachments", "incident_keys"} {
			left, err := s.db.NewSelect().Table(table).Count(t.Context())
			require.NoError(t, err)
			assert.Zero(t, left, table)
		}
	})
}
