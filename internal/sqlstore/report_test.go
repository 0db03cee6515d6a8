package sqlstore

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/report"
	"github.com/quantivista/monitoring/internal/state"
)

// day is the period that tests report on.
var day = report.Selection{Start: noon.Add(-12 * time.Hour), End: noon.Add(12 * time.Hour)}

// lasting reports an alert of a service that lasted from noon on; negative for one that still fires.
func lasting(name, service string, minutes int, more ...string) alert.Alert {
	labels := append([]string{"alertname", name, "service", service}, more...)
	if minutes < 0 {
		return firing(noon, noon, labels...)
	}
	return resolved(noon, noon.Add(time.Duration(minutes)*time.Minute), noon.Add(time.Hour), labels...)
}

// idOf finds the one alert with a label.
func idOf(t testing.TB, s *Store, name, value string) string {
	t.Helper()
	list, err := s.Alerts(t.Context(), alert.Query{Matchers: []alert.Matcher{{Name: name, Op: alert.MatchEqual, Value: value}}})
	require.NoError(t, err)
	require.Len(t, list.Alerts, 1)
	return list.Alerts[0].ID
}

// whenever has the store do something at a time.
func (s *Store) whenever(at time.Time, do func()) {
	before := s.now
	s.now = func() time.Time { return at }
	do()
	s.now = before
}

func TestReportWhatPeopleDo(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		intake(t, s,
			lasting("A", "shop", -1, "n", "acknowledged"), lasting("A", "shop", -1, "n", "commented"), lasting("A", "shop", -1, "n", "by hand"),
			lasting("A", "shop", -1, "n", "incident"), lasting("A", "shop", -1, "n", "quiet incident"),
			lasting("A", "shop", 7, "n", "ignored"), lasting("A", "shop", -1, "n", "ignored and firing"),
			lasting("A", "shop", -1, "n", "silenced"), lasting("A", "shop", -1, "n", "in maintenance"))
		told, quiet := newIncident(t, s, incident.Incident{}), newIncident(t, s, incident.Incident{})
		after := func(minutes int, do func(context.Context, incident.Tx) error) {
			t.Helper()
			s.whenever(noon.Add(time.Duration(minutes)*time.Minute), func() {
				write(t, s, func(ctx context.Context, tx incident.Tx) { require.NoError(t, do(ctx, tx)) })
			})
		}
		for _, minutes := range []int{2, 4} { // the first counts
			after(minutes, func(ctx context.Context, tx incident.Tx) error {
				_, err := tx.Acknowledge(ctx, incident.Acknowledgement{AlertID: idOf(t, s, "n", "acknowledged"), By: "ann"})
				return err
			})
		}
		after(10, func(ctx context.Context, tx incident.Tx) error {
			_, err := tx.CommentAlert(ctx, incident.AlertComment{AlertID: idOf(t, s, "n", "commented"), CreatedBy: "ann", Content: "hm"})
			return err
		})
		after(20, func(ctx context.Context, tx incident.Tx) error {
			change, err := tx.ResolveAlert(ctx, idOf(t, s, "n", "by hand"), 0, "ann")
			require.Equal(t, alert.Resolved, change.After.Status)
			return err
		})
		after(1, func(ctx context.Context, tx incident.Tx) error {
			require.NoError(t, tx.LinkAlerts(ctx, incident.Links{told.ID: {idOf(t, s, "n", "incident")}}))
			return tx.LinkAlerts(ctx, incident.Links{quiet.ID: {idOf(t, s, "n", "quiet incident")}})
		})
		after(1, func(ctx context.Context, tx incident.Tx) error {
			_, err := tx.AppendEvents(ctx,
				incident.TimelineEvent{IncidentID: quiet.ID, Type: incident.System, CreatedBy: incident.Author, Content: "opened"},
				incident.TimelineEvent{IncidentID: told.ID, Type: incident.System, CreatedBy: incident.Author, Content: "opened"})
			return err
		})
		after(-30, func(ctx context.Context, tx incident.Tx) error { // before the alert joined, and began
			_, err := tx.AppendEvents(ctx, incident.TimelineEvent{IncidentID: told.ID, Type: incident.Comment, CreatedBy: "ann", Content: "hm"})
			return err
		})
		after(1, func(ctx context.Context, tx incident.Tx) error {
			return tx.Mute(ctx, []incident.Muted{
				{AlertID: idOf(t, s, "n", "silenced"), At: noon, Held: true, By: []alert.Mute{{Kind: alert.MutedByInhibition, ID: "1"}, {Kind: alert.MutedBySilence, ID: "2"}}},
				{AlertID: idOf(t, s, "n", "in maintenance"), At: noon, Held: true, By: []alert.Mute{{Kind: alert.MutedByMaintenance, ID: "3"}}},
			})
		})

		got, err := s.AlertFigures(t.Context(), day)
		require.NoError(t, err)
		assert.Equal(t, report.Figures{
			Alerts: 9, Firing: 7, Firings: 9, Muted: 2, ActedUpon: 5, Unattended: 3, SelfResolved: 1,
			TimeToAcknowledge: report.Durations{Count: 4, Mean: 8 * time.Minute, Median: 2 * time.Minute, P90: 20 * time.Minute},
			TimeToResolve:     report.Durations{Count: 2, Mean: 13*time.Minute + 30*time.Second, Median: 7 * time.Minute, P90: 20 * time.Minute},
		}, got)
		groups, err := s.AlertGroups(t.Context(), day, report.ByRule, 5)
		require.NoError(t, err)
		early, err := s.AlertFigures(t.Context(), report.Selection{Start: day.Start, End: day.End, Matchers: []alert.Matcher{{Name: "n", Op: alert.MatchEqual, Value: "incident"}}})
		require.NoError(t, err)
		assert.Equal(t, report.Durations{Count: 1}, early.TimeToAcknowledge, "a person was there before the alert")
		assert.Equal(t, report.Groups{
			Totals: got, Noisiest: []report.Group{{Name: "A", Severity: alert.High, Figures: got}}, Flapping: []report.Group{}, NeverActedUpon: []report.Group{},
		}, groups)
	})
}

// What was done about an alert stays done: when it is taken from the incident, fires anew, or becomes part of another.
func TestReportKeepsWhatPeopleDid(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		acted := func(why string) {
			t.Helper()
			got, err := s.AlertFigures(t.Context(), day)
			require.NoError(t, err)
			assert.Equal(t, []int{1, 1}, []int{got.Alerts, got.ActedUpon}, why)
			assert.Equal(t, report.Durations{Count: 1, Mean: time.Minute, Median: time.Minute, P90: time.Minute}, got.TimeToAcknowledge, why)
		}
		later := noon.Add(2 * window)
		intake(t, s, firing(later, later, "alertname", "A"))
		id := alerts(t, s)[0].ID
		in := newIncident(t, s, incident.Incident{})
		write(t, s, func(ctx context.Context, tx incident.Tx) {
			require.NoError(t, tx.LinkAlerts(ctx, incident.Links{in.ID: {id}}))
			_, err := tx.AppendEvents(ctx, incident.TimelineEvent{
				IncidentID: in.ID, Type: incident.Comment, CreatedBy: "ann", Content: "hm", Timestamp: later.Add(time.Minute),
			})
			require.NoError(t, err)
		})
		acted("in the incident")
		write(t, s, func(ctx context.Context, tx incident.Tx) {
			require.NoError(t, tx.UnlinkAlerts(ctx, in.ID, []string{id}))
		})
		acted("taken from it")
		write(t, s, func(ctx context.Context, tx incident.Tx) {
			_, err := tx.ResolveAlert(ctx, id, 0, "ann")
			require.NoError(t, err)
		})
		acted("resolved by hand, later")
		intake(t, s, firing(later.Add(30*time.Minute), later.Add(30*time.Minute), "alertname", "A"))
		acted("fires anew")

		for i := range 2 {
			start := noon.Add(time.Duration(2*i) * window)
			intake(t, s, resolved(start, start.Add(time.Minute), start.Add(time.Minute), "alertname", "B"))
		}
		var second string
		require.NoError(t, s.db.NewRaw("SELECT id FROM alerts WHERE name = 'B' ORDER BY starts_at DESC LIMIT 1").Scan(t.Context(), &second))
		write(t, s, func(ctx context.Context, tx incident.Tx) {
			_, err := tx.CommentAlert(ctx, incident.AlertComment{AlertID: second, CreatedBy: "ann", Content: "hm"})
			require.NoError(t, err)
		})
		intake(t, s, resolved(noon.Add(window), noon.Add(window+time.Minute), noon.Add(window+time.Minute), "alertname", "B"))
		joined, err := s.AlertFigures(t.Context(), report.Selection{Start: day.Start, End: day.End, Matchers: []alert.Matcher{{Name: "alertname", Op: alert.MatchEqual, Value: "B"}}})
		require.NoError(t, err)
		assert.Equal(t, []int{1, 1}, []int{joined.Alerts, joined.ActedUpon}, "part of another")
	})
}

func TestReportLists(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		var reports []alert.Alert
		for i := range 3 {
			reports = append(reports, lasting("Many", "shop", 1, "n", fmt.Sprint("many", i)))
		}
		for i := range 2 {
			few := lasting("Few", fmt.Sprint("mail", i), 10*(i+1), "n", fmt.Sprint("few", i))
			few.RuleID, few.Severity = "rule-1", []alert.Severity{alert.Low, alert.Critical}[i]
			reports = append(reports, few)
		}
		other := lasting("Few", "it's", 30)
		other.RuleID = "rule-2"
		reports = append(reports, other)
		for i := range 4 { // one alert that fires four times
			start := noon.Add(time.Duration(10*i) * time.Minute)
			reports = append(reports, resolved(start, start.Add(time.Minute), start.Add(time.Minute), "alertname", "Flaps"))
		}
		intake(t, s, reports...)
		write(t, s, func(ctx context.Context, tx incident.Tx) {
			_, err := tx.CommentAlert(ctx, incident.AlertComment{AlertID: idOf(t, s, "n", "few1"), CreatedBy: "ann", CreatedAt: noon.Add(time.Minute), Content: "hm"})
			require.NoError(t, err)
		})
		names := func(groups []report.Group) (all []string) {
			for _, g := range groups {
				all = append(all, fmt.Sprint(g.Name, " ", g.RuleID, " ", g.Severity, " ", g.Firings))
			}
			return all
		}
		byRule, err := s.AlertGroups(t.Context(), day, report.ByRule, 3)
		require.NoError(t, err)
		assert.Equal(t, []string{"Flaps  high 4", "Many  high 3", "Few rule-1 critical 2"}, names(byRule.Noisiest))
		assert.Equal(t, []string{"Flaps  high 4"}, names(byRule.Flapping))
		assert.Equal(t, []string{"Flaps  high 4", "Many  high 3", "Few rule-2 high 1"}, names(byRule.NeverActedUpon))
		assert.Equal(t, 3, byRule.Flapping[0].Flaps)
		assert.Equal(t, 1, byRule.Flapping[0].FlappingAlerts)
		assert.Equal(t, report.Durations{Count: 2, Mean: 15 * time.Minute, Median: 10 * time.Minute, P90: 20 * time.Minute}, byRule.Noisiest[2].TimeToResolve)
		assert.Equal(t, []int{7, 10, 3}, []int{byRule.Totals.Alerts, byRule.Totals.Firings, byRule.Totals.Flaps})

		byService, err := s.AlertGroups(t.Context(), day, report.ByService, 2)
		require.NoError(t, err)
		assert.Equal(t, []string{"  high 4", "shop  high 3"}, names(byService.Noisiest), "what tells no service comes under none")
		assert.Equal(t, byRule.Totals, byService.Totals)

		for what, selection := range map[string]report.Selection{
			"service": {Service: "it's"}, "rule": {Matchers: []alert.Matcher{{Name: "service", Op: alert.MatchRegexp, Value: "it.s"}}},
		} {
			selection.Start, selection.End = day.Start, day.End
			one, err := s.AlertGroups(t.Context(), selection, report.ByRule, 3)
			require.NoError(t, err)
			assert.Equal(t, []string{"Few rule-2 high 1"}, names(one.Noisiest), what)
			assert.Equal(t, one.Noisiest[0].Figures, one.Totals, what)
		}
		worst := day
		worst.Severity = alert.Critical
		critical, err := s.AlertFigures(t.Context(), worst)
		require.NoError(t, err)
		assert.Equal(t, 1, critical.Alerts)
		none, err := s.AlertGroups(t.Context(), report.Selection{Start: noon.Add(time.Hour), End: noon.Add(2 * time.Hour)}, report.ByRule, 3)
		require.NoError(t, err)
		assert.Zero(t, none.Totals)
		assert.Empty(t, none.Noisiest)
		worst.Matchers = []alert.Matcher{{Name: "a", Op: alert.MatchRegexp, Value: "("}}
		_, err = s.AlertFigures(t.Context(), worst)
		require.ErrorIs(t, err, state.ErrInvalid)
	})
}

// An alert that flaps for days is one row that forgets its periods, and counts in each period as often as it fired then.
func TestReportOnWhatFlapsForLong(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		hours := 24 * 3
		for i := range hours {
			start := noon.Add(time.Duration(i) * time.Hour)
			intake(t, s, firing(start, start))
			intake(t, s, resolved(start, start.Add(time.Minute), start.Add(time.Minute)))
		}
		require.Len(t, alerts(t, s), 1)
		for from, want := range map[int][2]int{0: {24, 23}, 24: {24, 24}, 48: {24, 24}, -12: {12, 11}} {
			start := noon.Truncate(time.Hour).Add(time.Duration(from) * time.Hour)
			got, err := s.AlertFigures(t.Context(), report.Selection{Start: start, End: start.Add(24 * time.Hour)})
			require.NoError(t, err)
			assert.Equal(t, want, [2]int{got.Firings, got.Flaps}, from)
			assert.Equal(t, 1, got.Alerts)
		}
		var kept int
		require.NoError(t, s.db.NewRaw("SELECT COUNT(*) FROM alert_flaps").Scan(t.Context(), &kept))
		assert.Equal(t, hours-1, kept)
		write(t, s, func(ctx context.Context, tx incident.Tx) {
			n, err := tx.DeleteAlerts(ctx, noon.Add(1000*time.Hour), 10)
			require.NoError(t, err)
			require.Equal(t, 1, n)
		})
		require.NoError(t, s.db.NewRaw("SELECT COUNT(*) FROM alert_flaps").Scan(t.Context(), &kept))
		assert.Zero(t, kept, "they go with the alert")
	})
}

// The sums of any split by rule are the totals, and the percentiles are those of sorted values.
func TestReportAddsUp(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		round := 0
		rapid.Check(t, func(rt *rapid.T) {
			round++
			own := report.Selection{Start: day.Start, End: day.End, Matchers: []alert.Matcher{{Name: "round", Op: alert.MatchEqual, Value: fmt.Sprint(round)}}}
			n := rapid.IntRange(0, 20).Draw(rt, "alerts")
			var times []time.Duration
			var reports []alert.Alert
			for i := range n {
				a := lasting(rapid.SampledFrom([]string{"A", "B", "C"}).Draw(rt, "name"), "shop", 0, "n", fmt.Sprint(i), "round", fmt.Sprint(round))
				took := time.Duration(rapid.IntRange(0, 100_000).Draw(rt, "milliseconds")) * time.Millisecond
				a.EndsAt = a.StartsAt.Add(took)
				times, reports = append(times, took), append(reports, a)
			}
			intake(t, s, reports...)
			groups, err := s.AlertGroups(t.Context(), own, report.ByRule, 10)
			require.NoError(t, err)
			totals, err := s.AlertFigures(t.Context(), own)
			require.NoError(t, err)
			// Seconds are added in another order, and a mean that ends in half a millisecond may be rounded either way.
			assert.InDelta(t, totals.TimeToResolve.Mean, groups.Totals.TimeToResolve.Mean, float64(time.Millisecond))
			groups.Totals.TimeToResolve.Mean = totals.TimeToResolve.Mean
			assert.Equal(t, totals, groups.Totals)
			assert.Equal(t, n, totals.Alerts)
			sum := 0
			for _, g := range groups.Noisiest {
				sum += g.Alerts
			}
			assert.Equal(t, n, sum)
			if n == 0 {
				return
			}
			slices.Sort(times)
			rank := func(q float64) time.Duration { return times[int(math.Ceil(q*float64(n)))-1] }
			assert.InDelta(t, rank(0.5), totals.TimeToResolve.Median, float64(time.Millisecond))
			assert.InDelta(t, rank(0.9), totals.TimeToResolve.P90, float64(time.Millisecond))
		})
	})
}
