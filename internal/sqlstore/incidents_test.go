package sqlstore

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/rule"
	"github.com/quantivista/monitoring/internal/state"
)

func TestIncidentsAreStoredWhole(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		s.now = func() time.Time { return noon.Add(999) }
		want := incident.Incident{
			Title: `It's "broken"`, Description: "a\nb", Severity: alert.Critical, Status: incident.Open, CreatedBy: "me@example.com", AssignedTo: "team",
			AffectedServices: []string{`quote'"\`, "{a,b}", "NULL", "", "日本"}, CorrelationKey: `{"service":"a"}`,
		}
		created := newIncident(t, s, want)
		want.ID, want.CreatedAt, want.UpdatedAt, want.Version = created.ID, noon, noon, 1
		assert.Equal(t, want, created)
		got, err := s.Incident(t.Context(), created.ID)
		require.NoError(t, err)
		assert.Equal(t, want, got)
		_, err = s.Incident(t.Context(), newID())
		require.ErrorIs(t, err, state.ErrNotFound)
	})
}

func update(s *Store, in incident.Incident) (out incident.Incident, err error) {
	err = s.Write(context.Background(), func(ctx context.Context, tx incident.Tx) error {
		out, err = tx.UpdateIncident(ctx, in)
		return err
	})
	return out, err
}

func TestLifeOfAnIncident(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		s.now = func() time.Time { return noon }
		in := newIncident(t, s, incident.Incident{CorrelationKey: "k"})
		stale := in
		for i, status := range []incident.Status{incident.Investigating, incident.Mitigated, incident.Resolved, incident.Open} {
			s.now = func() time.Time { return noon.Add(time.Duration(i+1) * time.Minute) }
			in.Status, in.CorrelationKey, in.CreatedBy = status, "another", "another"
			var err error
			in, err = update(s, in)
			require.NoError(t, err)
			assert.Equal(t, "k", in.CorrelationKey, "which does not change")
			assert.NotEqual(t, "another", in.CreatedBy)
			stored, err := s.Incident(t.Context(), in.ID)
			require.NoError(t, err)
			assert.Equal(t, in, stored)
			assert.EqualValues(t, i+2, in.Version)
			assert.Equal(t, status == incident.Resolved, !in.ResolvedAt.IsZero())
		}
		assert.Equal(t, noon.Add(2*time.Minute), in.MitigatedAt)
		_, err := update(s, stale)
		require.ErrorIs(t, err, state.ErrVersion)
		in.ID = newID()
		_, err = update(s, in)
		require.ErrorIs(t, err, state.ErrNotFound)
	})
}

func TestCorrelationKeys(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		open := newIncident(t, s, incident.Incident{CorrelationKey: "a"})
		newIncident(t, s, incident.Incident{})
		for i := range 3 {
			newIncident(t, s, incident.Incident{CorrelationKey: "b", Status: incident.Resolved, ResolvedAt: noon.Add(time.Duration(i) * time.Minute)})
		}
		err := s.Write(t.Context(), func(ctx context.Context, tx incident.Tx) error {
			_, err := tx.CreateIncident(ctx, incident.Incident{Title: "x", CreatedBy: "x", Severity: alert.High, Status: incident.Open, CorrelationKey: "a"})
			return err
		})
		require.ErrorIs(t, err, state.ErrConflict)
		write(t, s, func(ctx context.Context, tx incident.Tx) {
			unresolved, err := tx.UnresolvedByKey(ctx, []string{"a", "b", "", "c"})
			require.NoError(t, err)
			assert.Equal(t, map[string]incident.Incident{"a": open}, unresolved)
			last, err := tx.ResolvedByKey(ctx, []string{"a", "b", ""}, noon.Add(time.Minute))
			require.NoError(t, err)
			require.Len(t, last, 1)
			assert.Equal(t, noon.Add(2*time.Minute), last["b"].ResolvedAt)
			none, err := tx.ResolvedByKey(ctx, []string{"b"}, noon.Add(time.Hour))
			require.NoError(t, err)
			assert.Empty(t, none)
			byID, err := tx.IncidentsByID(ctx, []string{open.ID, newID(), "x"})
			require.NoError(t, err)
			assert.Equal(t, map[string]incident.Incident{open.ID: open}, byID)
		})
	})
}

func TestLinks(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		fires := intake(t, s, firing(noon, noon, "n", "1"))[0].After.ID
		ended := intake(t, s, resolved(noon, noon, noon, "n", "2"))[0].After.ID
		one := newIncident(t, s, incident.Incident{CorrelationKey: "1", Status: incident.Mitigated, MitigatedAt: noon})
		two := newIncident(t, s, incident.Incident{CorrelationKey: "2", Status: incident.Mitigated, MitigatedAt: noon})
		over := newIncident(t, s, incident.Incident{Status: incident.Resolved})
		link := func(id string, alerts ...string) error {
			return s.Write(t.Context(), func(ctx context.Context, tx incident.Tx) error { return tx.LinkAlerts(ctx, incident.Links{id: alerts}) })
		}
		require.NoError(t, link(one.ID, fires))
		require.NoError(t, link(one.ID, fires), "again")
		require.NoError(t, link(two.ID, ended))
		require.NoError(t, link(two.ID))
		require.ErrorIs(t, link(two.ID, fires), state.ErrConflict)
		require.ErrorIs(t, link(over.ID, ended), state.ErrConflict)
		require.ErrorIs(t, link(two.ID, newID()), state.ErrNotFound)
		require.ErrorIs(t, link(two.ID, "x"), state.ErrNotFound)
		require.ErrorIs(t, link(newID(), fires), state.ErrNotFound)

		write(t, s, func(ctx context.Context, tx incident.Tx) {
			linked, err := tx.LinkedAlerts(ctx, []string{fires, ended})
			require.NoError(t, err)
			assert.Equal(t, map[string]string{fires: one.ID, ended: two.ID}, linked)
			firing, err := tx.Firing(ctx, []string{one.ID, two.ID})
			require.NoError(t, err)
			assert.Equal(t, map[string]bool{one.ID: true}, firing)
			quiet, err := tx.MitigatedBefore(ctx, noon.Add(time.Second), 10)
			require.NoError(t, err)
			require.Len(t, quiet, 1, "the other one has a firing alert")
			assert.Equal(t, two.ID, quiet[0].ID)
			ids, err := tx.AlertIDs(ctx, one.ID)
			require.NoError(t, err)
			assert.Equal(t, []string{fires}, ids)
		})
		related, err := s.RelatedAlerts(t.Context(), []string{one.ID, two.ID, over.ID}, 10)
		require.NoError(t, err)
		require.Len(t, related, 2)
		assert.Equal(t, fires, related[one.ID][0].ID)
		related, err = s.RelatedAlerts(t.Context(), nil, 10)
		require.NoError(t, err)
		assert.Empty(t, related)

		column := func() (l list) {
			require.NoError(t, s.db.NewSelect().Table("incidents").Column("related_alerts").Where("id = ?", one.ID).Scan(t.Context(), &l))
			return l
		}
		assert.Equal(t, list{fires}, column(), "the specification's column")
		write(t, s, func(ctx context.Context, tx incident.Tx) {
			require.NoError(t, tx.UnlinkAlerts(ctx, one.ID, []string{fires, ended}))
		})
		assert.Empty(t, column())
		require.NoError(t, link(two.ID, fires), "free again")
	})
}

func TestRelatedAlertsAreTheLastLinked(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		want := map[string][]string{}
		var ids []string
		for _, alerts := range []int{0, 1, 4} {
			in := newIncident(t, s, incident.Incident{})
			ids = append(ids, in.ID)
			for n := range alerts {
				s.now = func() time.Time { return noon.Add(time.Duration(n) * time.Second) }
				id := intake(t, s, firing(noon, noon, "in", in.ID, "n", fmt.Sprint(n)))[0].After.ID
				write(t, s, func(ctx context.Context, tx incident.Tx) {
					require.NoError(t, tx.LinkAlerts(ctx, incident.Links{in.ID: {id}}))
				})
				want[in.ID] = append([]string{id}, want[in.ID]...)
			}
			want[in.ID] = want[in.ID][:min(3, alerts)]
		}
		related, err := s.RelatedAlerts(t.Context(), ids, 3)
		require.NoError(t, err)
		for _, id := range ids {
			var got []string
			for _, a := range related[id] {
				got = append(got, a.ID)
			}
			if len(want[id]) == 0 {
				assert.Empty(t, got)
			} else {
				assert.Equal(t, want[id], got)
			}
		}
		_, err = s.RelatedAlerts(t.Context(), []string{"x"}, 3)
		require.ErrorIs(t, err, state.ErrNotFound)
	})
}

func TestTimeline(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		s.now = func() time.Time { return noon }
		one, two := newIncident(t, s, incident.Incident{}), newIncident(t, s, incident.Incident{})
		metadata := map[string]any{"oldStatus": "open", "nested": map[string]any{"n": 1.5, "l": []any{true, nil}}}
		for i := range 3 {
			write(t, s, func(ctx context.Context, tx incident.Tx) {
				stored, err := tx.AppendEvents(ctx,
					incident.TimelineEvent{IncidentID: one.ID, Type: incident.Comment, Content: "a'\x00", CreatedBy: "me"},
					incident.TimelineEvent{IncidentID: two.ID, Type: incident.AlertEvent, Content: "b", CreatedBy: "me", Timestamp: noon.Add(-time.Hour)},
					incident.TimelineEvent{IncidentID: one.ID, Type: incident.StatusChange, Content: "c", CreatedBy: "me", Metadata: metadata},
				)
				require.NoError(t, err)
				assert.EqualValues(t, 2*i+1, stored[0].Sequence)
				assert.EqualValues(t, i+1, stored[1].Sequence)
				assert.EqualValues(t, 2*i+2, stored[2].Sequence)
			})
		}
		var got []incident.TimelineEvent
		page := state.Page{Limit: 4}
		for {
			timeline, err := s.Timeline(t.Context(), one.ID, page)
			require.NoError(t, err)
			got = append(got, timeline.Events...)
			if timeline.Next == "" {
				break
			}
			page.After = timeline.Next
		}
		require.Len(t, got, 6)
		for i, e := range got {
			assert.EqualValues(t, i+1, e.Sequence)
		}
		assert.Equal(t, "a'\ufffd", got[0].Content)
		assert.Equal(t, metadata, got[1].Metadata)
		assert.Equal(t, noon, got[1].Timestamp)
		_, err := s.Timeline(t.Context(), two.ID, page)
		require.ErrorIs(t, err, state.ErrInvalid, "the cursor of another timeline")
		_, err = s.Timeline(t.Context(), newID(), state.Page{})
		require.ErrorIs(t, err, state.ErrNotFound)
		for _, e := range []incident.TimelineEvent{{IncidentID: newID(), Type: incident.Comment}, {IncidentID: one.ID, Type: "gossip"}} {
			err := s.Write(t.Context(), func(ctx context.Context, tx incident.Tx) error {
				_, err := tx.AppendEvents(ctx, e)
				return err
			})
			require.Error(t, err)
		}
	})
}

func TestTransactionsAreWhole(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		in := newIncident(t, s, incident.Incident{})
		failure := fmt.Errorf("no")
		err := s.Write(t.Context(), func(ctx context.Context, tx incident.Tx) error {
			changes, err := tx.Intake(ctx, []alert.Alert{firing(noon, noon)}, window)
			require.NoError(t, err)
			require.NoError(t, tx.LinkAlerts(ctx, incident.Links{in.ID: {changes[0].After.ID}}))
			_, err = tx.AppendEvents(ctx, incident.TimelineEvent{IncidentID: in.ID, Type: incident.Comment, Content: "x", CreatedBy: "me"})
			require.NoError(t, err)
			return failure
		})
		require.ErrorIs(t, err, failure)
		assert.Empty(t, alerts(t, s))
		timeline, err := s.Timeline(t.Context(), in.ID, state.Page{})
		require.NoError(t, err)
		assert.Empty(t, timeline.Events)
	})
}

// TestInvalidValues never get into a statement.
func TestInvalidValues(t *testing.T) {
	const bad = "x'; DROP TABLE incidents; --"
	each(t, func(t *testing.T, s *Store) {
		in := newIncident(t, s, incident.Incident{})
		_, err := s.Incidents(t.Context(), incident.Query{Severity: bad})
		require.ErrorIs(t, err, state.ErrInvalid)
		_, err = s.Incidents(t.Context(), incident.Query{Statuses: []incident.Status{incident.Open, bad}})
		require.ErrorIs(t, err, state.ErrInvalid)
		_, err = s.Alerts(t.Context(), alert.Query{Severity: bad})
		require.ErrorIs(t, err, state.ErrInvalid)
		_, err = s.Alerts(t.Context(), alert.Query{Status: bad})
		require.ErrorIs(t, err, state.ErrInvalid)
		_, err = s.Rules(t.Context(), rule.Query{Severity: bad})
		require.ErrorIs(t, err, state.ErrInvalid)
		for name, spoil := range map[string]func(*incident.Incident){
			"info": func(in *incident.Incident) { in.Severity = alert.Info }, "severity": func(in *incident.Incident) { in.Severity = bad },
			"status": func(in *incident.Incident) { in.Status = bad }, "no title": func(in *incident.Incident) { in.Title = "" },
		} {
			changed := in
			spoil(&changed)
			_, err := update(s, changed)
			require.ErrorIs(t, err, state.ErrInvalid, name)
			err = s.Write(t.Context(), func(ctx context.Context, tx incident.Tx) error {
				changed.ID = ""
				_, err := tx.CreateIncident(ctx, changed)
				return err
			})
			require.ErrorIs(t, err, state.ErrInvalid, name)
		}
		err = s.Write(t.Context(), func(ctx context.Context, tx incident.Tx) error {
			_, err := tx.AppendEvents(ctx, incident.TimelineEvent{IncidentID: in.ID, Type: incident.Comment, Metadata: map[string]any{bad: math.NaN()}})
			return err
		})
		require.ErrorIs(t, err, state.ErrInvalid)
		in.Description, in.AssignedTo, in.AffectedServices = bad, bad, []string{bad, "?0"}
		in, err = update(s, in)
		require.NoError(t, err)
		list, err := s.Incidents(t.Context(), incident.Query{AssignedTo: bad})
		require.NoError(t, err)
		require.Len(t, list.Incidents, 1)
		assert.Equal(t, in, list.Incidents[0].Incident)
	})
}

func TestIncidentList(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		var want []string
		for i := range 9 {
			status := incident.Statuses()[i%4]
			in := newIncident(t, s, incident.Incident{
				Title: fmt.Sprint(i), CreatedBy: "me", Status: status, CreatedAt: noon.Add(time.Duration(i/2) * time.Minute),
				AssignedTo: []string{"", "a"}[i%2], AffectedServices: []string{"x", "y"},
			})
			want = append(want, in.ID)
		}
		write(t, s, func(ctx context.Context, tx incident.Tx) {
			changes, err := tx.Intake(ctx, []alert.Alert{firing(noon, noon)}, window)
			require.NoError(t, err)
			require.NoError(t, tx.LinkAlerts(ctx, incident.Links{want[0]: {changes[0].After.ID}}))
			_, err = tx.AppendEvents(ctx, incident.TimelineEvent{IncidentID: want[0], Type: incident.Comment, CreatedBy: "me"})
			require.NoError(t, err)
		})
		ask := func(q incident.Query) (titles []string) {
			for {
				list, err := s.Incidents(t.Context(), q)
				require.NoError(t, err)
				for _, in := range list.Incidents {
					titles = append(titles, in.Title)
					assert.Equal(t, in.Title == "0", in.AlertCount == 1 && in.EventCount == 1, in.Title)
					assert.Equal(t, []string{"x", "y"}, in.AffectedServices)
					if in.Status == incident.Resolved {
						assert.Positive(t, in.Duration)
					}
				}
				if q.Page.After = list.Next; list.Next == "" {
					return titles
				}
			}
		}
		assert.Equal(t, []string{"8", "7", "6", "5", "4", "3", "2", "1", "0"}, ask(incident.Query{Page: state.Page{Limit: 2}}))
		assert.Equal(t, []string{"7", "3"}, ask(incident.Query{Statuses: []incident.Status{incident.Resolved}}))
		assert.Equal(t, []string{"8", "6", "5", "4", "2", "1", "0"}, ask(incident.Query{Statuses: []incident.Status{incident.Open, incident.Investigating, incident.Mitigated}}))
		assert.Equal(t, []string{"8", "6", "4", "2", "0"}, ask(incident.Query{Statuses: []incident.Status{incident.Open, incident.Mitigated}}))
		assert.Equal(t, []string{"7", "5", "3", "1"}, ask(incident.Query{AssignedTo: "a"}))
		assert.Equal(t, []string{"3", "2"}, ask(incident.Query{From: noon.Add(time.Minute), To: noon.Add(2 * time.Minute)}))
		assert.Empty(t, ask(incident.Query{Severity: alert.Low}))
		n, err := s.CountUnresolved(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 7, n)
	})
}
