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
	"github.com/quantivista/monitoring/internal/state"
)

func TestAlertsAreStoredWhole(t *testing.T) {
	odd := map[string]string{
		`quote'"\`: `'; DROP TABLE alerts; --`, "?": "? ?0 ?TableAlias", "ключ": "日本\n", `$."a"`: "$.b", "nul": "a\x00b", "empty": "",
	}
	for name, value := range map[string]float64{"number": 85.25, "NaN": math.NaN(), "+Inf": math.Inf(1), "-Inf": math.Inf(-1), "tiny": 5e-324, "negative": -1} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s *Store) {
				want := firing(noon.Add(999), noon.Add(time.Minute))
				for k, v := range odd {
					want.Labels[k] = v
					want.Annotations[k] = v
				}
				want.Value, want.RuleID = &value, "rule"
				changes := intake(t, s, want)
				require.Len(t, changes, 1)
				assert.Nil(t, changes[0].Before)
				assert.True(t, changes[0].Fired())

				got, err := s.Alert(t.Context(), changes[0].After.ID)
				require.NoError(t, err)
				want.Labels["nul"], want.Annotations["nul"] = "a\ufffdb", "a\ufffdb"
				want.StartsAt = noon
				if math.IsNaN(value) {
					assert.True(t, math.IsNaN(*got.Value))
					got.Value, want.Value = nil, nil
				}
				assert.Equal(t, want, got.Alert)
				assert.EqualValues(t, 1, got.Version)
				if !math.IsNaN(value) {
					assert.Equal(t, changes[0].After, got, "what a transaction gives is what is stored")
				}
				assert.Equal(t, time.UTC, got.StartsAt.Location())
			})
		})
	}
}

func TestUnknownAlert(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		for _, id := range []string{newID(), "", "1", "' OR 1=1 --", "00000000000000000000000000000000"} {
			_, err := s.Alert(t.Context(), id)
			require.ErrorIs(t, err, state.ErrNotFound, id)
		}
	})
}

func TestRefusedReports(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		for name, spoil := range map[string]func(*alert.Alert){
			"no labels": func(a *alert.Alert) { a.Labels = nil },
			"severity":  func(a *alert.Alert) { a.Severity = "page" },
			"status":    func(a *alert.Alert) { a.Status = "pending" },
		} {
			a := firing(noon, noon)
			spoil(&a)
			err := s.Write(t.Context(), func(ctx context.Context, tx incident.Tx) error {
				_, err := tx.Intake(ctx, []alert.Alert{firing(noon, noon, "n", "2"), a}, window)
				return err
			})
			require.ErrorIs(t, err, state.ErrInvalid, name)
			assert.Empty(t, alerts(t, s), "nothing half-written")
		}
	})
}

func TestFlapping(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		at := noon
		for range 200 { // more than are kept in the row
			intake(t, s, firing(at, at), resolved(at, at.Add(time.Minute), at.Add(time.Minute)))
			at = at.Add(2 * time.Minute)
		}
		rows := alerts(t, s)
		require.Len(t, rows, 1)
		assert.Equal(t, 199, rows[0].Flaps())
		assert.Equal(t, noon, rows[0].StartsAt)
		assert.LessOrEqual(t, len(rows[0].Periods), 64)

		at = at.Add(window)
		intake(t, s, firing(at, at))
		assert.Len(t, alerts(t, s), 2, "after a long pause it is another alert")
	})
}

func TestOverlappingReportsAreNoFlap(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		intake(t, s, firing(noon, noon))
		intake(t, s, firing(noon.Add(7*time.Second), noon.Add(7*time.Second))) // a second replica
		end := noon.Add(time.Minute)
		intake(t, s, resolved(noon, end, end))
		intake(t, s, resolved(noon.Add(7*time.Second), end.Add(time.Second), end.Add(time.Second)))
		rows := alerts(t, s)
		require.Len(t, rows, 1)
		assert.Equal(t, alert.Resolved, rows[0].Status)
		assert.Equal(t, 0, rows[0].Flaps())
	})
}

func TestResolveByHand(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		s.now = func() time.Time { return noon.Add(10 * time.Minute) }
		id := intake(t, s, firing(noon, noon))[0].After.ID
		resolve := func(version int64) (c alert.Change, err error) {
			err = s.Write(t.Context(), func(ctx context.Context, tx incident.Tx) error {
				c, err = tx.ResolveAlert(ctx, id, version, "me")
				return err
			})
			return c, err
		}
		_, err := resolve(7)
		require.ErrorIs(t, err, state.ErrVersion)
		c, err := resolve(1)
		require.NoError(t, err)
		assert.True(t, c.Resolved())
		assert.Equal(t, "me", c.After.ResolvedBy)
		c, err = resolve(0)
		require.NoError(t, err)
		assert.False(t, c.Resolved(), "it is resolved already")

		assert.Empty(t, intake(t, s, firing(noon, noon.Add(20*time.Minute))), "the rule still fires")
		got, err := s.Alert(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, alert.Resolved, got.Status)
		assert.Equal(t, noon.Add(10*time.Minute), got.EndsAt)

		end := noon.Add(25 * time.Minute)
		assert.Empty(t, intake(t, s, resolved(noon, end, end)), "the rule resolves")
		again := noon.Add(30 * time.Minute)
		changes := intake(t, s, firing(again, again))
		require.Len(t, changes, 1, "and fires anew")
		assert.True(t, changes[0].Fired())
		assert.Equal(t, id, changes[0].After.ID)
		assert.Empty(t, changes[0].After.ResolvedBy)
	})
}

func TestReopenByHand(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		reopen := func(id string) (c alert.Change, err error) {
			err = s.Write(t.Context(), func(ctx context.Context, tx incident.Tx) error {
				c, err = tx.ReopenAlert(ctx, id, 0)
				return err
			})
			return c, err
		}
		id := intake(t, s, resolved(noon, noon.Add(time.Minute), noon.Add(time.Minute)))[0].After.ID
		c, err := reopen(id)
		require.NoError(t, err)
		assert.True(t, c.Fired())
		later := noon.Add(3 * window)
		s.now = func() time.Time { return later }
		write(t, s, func(ctx context.Context, tx incident.Tx) {
			_, err := tx.ResolveAlert(ctx, id, 0, "me")
			require.NoError(t, err)
			c, err := tx.ReopenAlert(ctx, id, 0)
			require.NoError(t, err)
			assert.Equal(t, alert.Firing, c.After.Status)
		})
		far := time.Now().Add(24 * time.Hour)
		intake(t, s, firing(far, far))
		_, err = reopen(id)
		require.ErrorIs(t, err, state.ErrConflict)
	})
}

func TestAlertPagesAreStable(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		for i := range 25 {
			start := noon.Add(time.Duration(i/5) * time.Minute) // five of one time
			intake(t, s, firing(start, start, "n", fmt.Sprint(i)))
		}
		want := alerts(t, s)
		require.Len(t, want, 25)
		var got []string
		query := alert.Query{Page: state.Page{Limit: 4}}
		for pages := 0; ; pages++ {
			list, err := s.Alerts(t.Context(), query)
			require.NoError(t, err)
			for _, a := range list.Alerts {
				got = append(got, a.ID)
			}
			if list.Next == "" {
				break
			}
			query.Page.After = list.Next
			start := noon.Add(time.Hour) // rows come before the cursor, and the cursor's own row goes
			intake(t, s, firing(start, start, "new", fmt.Sprint(pages)))
			_, err = s.db.ExecContext(t.Context(), "DELETE FROM alerts WHERE id = ?", got[len(got)-1])
			require.NoError(t, err)
		}
		ids := make([]string, len(want))
		for i := range want {
			ids[i] = want[i].ID
		}
		assert.Equal(t, ids, got)
	})
}

func TestBadPages(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		for _, p := range []state.Page{
			{Limit: -1}, {Limit: state.MaxPageSize + 1}, {After: "x"}, {After: "' OR 1=1"},
			{After: state.Cursor{List: "incidents", Key: "2026-03-01T12:00:00.000000Z", ID: newID()}.String()},
			{After: state.Cursor{List: "alerts", Key: "x", ID: "y"}.String()},
		} {
			_, err := s.Alerts(t.Context(), alert.Query{Page: p})
			require.ErrorIs(t, err, state.ErrInvalid, "%+v", p)
		}
		_, err := s.Alerts(t.Context(), alert.Query{Page: state.Page{After: state.Cursor{List: "alerts", Key: "x", ID: newID()}.String()}})
		require.NoError(t, err, "a key of another form is before all")
	})
}

func TestAlertFilters(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		high := firing(noon, noon, "n", "high", "service", "api")
		low := resolved(noon, noon.Add(time.Minute), noon.Add(time.Minute), "n", "low", "service", "db")
		low.Severity = alert.Low
		late := firing(noon.Add(time.Hour), noon.Add(time.Hour), "n", "late")
		intake(t, s, high, low, late)
		for name, tt := range map[string]struct {
			query alert.Query
			want  []string
		}{
			"all":               {alert.Query{}, []string{"late", "low", "high"}},
			"status":            {alert.Query{Status: alert.Resolved}, []string{"low"}},
			"severity":          {alert.Query{Severity: alert.High}, []string{"late", "high"}},
			"both":              {alert.Query{Status: alert.Firing, Severity: alert.Low}, nil},
			"from":              {alert.Query{From: noon.Add(2 * time.Minute)}, []string{"late", "high"}},
			"resolved from":     {alert.Query{Status: alert.Resolved, From: noon.Add(time.Minute)}, []string{"low"}},
			"resolved later":    {alert.Query{Status: alert.Resolved, From: noon.Add(2 * time.Minute)}, nil},
			"firing from":       {alert.Query{Status: alert.Firing, From: noon.Add(2 * time.Hour)}, []string{"late", "high"}},
			"to":                {alert.Query{To: noon.Add(time.Minute)}, []string{"low", "high"}},
			"equal":             {alert.Query{Matchers: []alert.Matcher{{Name: "service", Op: "=", Value: "api"}}}, []string{"high"}},
			"equal empty":       {alert.Query{Matchers: []alert.Matcher{{Name: "service", Op: "=", Value: ""}}}, []string{"late"}},
			"not equal":         {alert.Query{Matchers: []alert.Matcher{{Name: "service", Op: "!=", Value: "api"}}}, []string{"late", "low"}},
			"not empty":         {alert.Query{Matchers: []alert.Matcher{{Name: "service", Op: "!=", Value: ""}}}, []string{"low", "high"}},
			"regexp":            {alert.Query{Matchers: []alert.Matcher{{Name: "service", Op: "=~", Value: "a.+|d[a-c]"}}}, []string{"low", "high"}},
			"regexp, empty":     {alert.Query{Matchers: []alert.Matcher{{Name: "service", Op: "=~", Value: "api|"}}}, []string{"late", "high"}},
			"regexp, whole":     {alert.Query{Matchers: []alert.Matcher{{Name: "service", Op: "=~", Value: "ap"}}}, nil},
			"not regexp":        {alert.Query{Matchers: []alert.Matcher{{Name: "service", Op: "!~", Value: "(?i)API"}}}, []string{"late", "low"}},
			"two":               {alert.Query{Matchers: []alert.Matcher{{Name: "service", Op: "=~", Value: ".+"}, {Name: "n", Op: "!=", Value: "low"}}}, []string{"high"}},
			"injected in value": {alert.Query{Matchers: []alert.Matcher{{Name: "service", Op: "=", Value: "' OR '1'='1"}}}, nil},
			"injected in name":  {alert.Query{Matchers: []alert.Matcher{{Name: `service' = '' OR ''='`, Op: "=~", Value: ".+"}}}, nil},
			"placeholders":      {alert.Query{Matchers: []alert.Matcher{{Name: "?0", Op: "!=", Value: "?TableName \\"}}}, []string{"late", "low", "high"}},
		} {
			list, err := s.Alerts(t.Context(), tt.query)
			require.NoError(t, err, name)
			var got []string
			for _, a := range list.Alerts {
				got = append(got, a.Labels["n"])
			}
			assert.ElementsMatch(t, tt.want, got, name)
		}
		for _, m := range []alert.Matcher{{Name: "a", Op: "=~", Value: "("}, {Name: "", Op: "=", Value: "x"}, {Name: "a", Op: "LIKE", Value: "x"}} {
			_, err := s.Alerts(t.Context(), alert.Query{Matchers: []alert.Matcher{m}})
			require.ErrorIs(t, err, state.ErrInvalid, "%+v", m)
		}
		n, err := s.CountFiring(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 2, n)
	})
}
