package sqlstore

import (
	"context"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun/migrate"
	"pgregory.net/rapid"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/state"
)

// atOnce has a store look at so few alerts one by one that most of the tests' are behind.
func atOnce(s *Store, near int) {
	if f, is := s.flavour.(postgresFlavour); is {
		f.near = near
		s.flavour = f
	}
}

// denseFrom has a store take so many alerts for too many to read by their keys.
func denseFrom(s *Store, dense int) {
	if f, is := s.flavour.(postgresFlavour); is {
		f.dense = dense
		s.flavour = f
	}
}

// matches is what a matcher means.
func matches(m alert.Matcher, labels map[string]string) bool {
	value := labels[m.Name]
	switch m.Op {
	case alert.MatchEqual:
		return value == m.Value
	case alert.MatchNotEqual:
		return value != m.Value
	case alert.MatchRegexp:
		return regexp.MustCompile("^(?s:" + m.Value + ")$").MatchString(value)
	default:
		return !regexp.MustCompile("^(?s:" + m.Value + ")$").MatchString(value)
	}
}

var (
	someNames    = []string{"service", "ключ", `'"\?{},`, strings.Repeat("n", 3000)}
	someValues   = []string{"", "web", "web-1", "WEB", "ÿ", "a\nb", `{"a"}`, "NULL", "?0 ?", `\`, " ", "\u212a", strings.Repeat("v", 9000)}
	somePatterns = []string{
		"", ".*", ".+", "web.*", "web", "web|", "(?i)web", `web-\d`, "none.*", ".", "[^w].*", `(?s).*`, "(?-s).*", `\bweb\b.*`, "(?m)^a$.*", "v{1000}v*", `\{"a"\}`, "(?i)k", `\pL+`, "w.b-1|ÿ", `NULL|\\`,
	}
)

// TestSearchByLabels compares searches with what the matchers mean, whatever way the database finds the alerts.
func TestSearchByLabels(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		rapid.Check(t, func(rt *rapid.T) {
			clearAlerts(t, s)
			var stored []alert.Alert
			for n := range rapid.IntRange(0, 12).Draw(rt, "alerts") {
				start := noon.Add(time.Duration(rapid.IntRange(0, 5).Draw(rt, "minutes")) * time.Minute)
				a := firing(start, start, "n", fmt.Sprint(n))
				for _, name := range someNames {
					if rapid.Bool().Draw(rt, "has") {
						a.Labels[name] = rapid.SampledFrom(someValues).Draw(rt, "value")
					}
				}
				a.Severity = rapid.SampledFrom([]alert.Severity{alert.High, alert.Low}).Draw(rt, "severity")
				stored = append(stored, a)
			}
			intake(t, s, stored...)
			for range 4 {
				var query alert.Query
				for range rapid.IntRange(1, 3).Draw(rt, "matchers") {
					m := alert.Matcher{Name: rapid.SampledFrom(someNames).Draw(rt, "name"), Op: rapid.SampledFrom([]alert.MatchOp{"=", "!=", "=~", "!~"}).Draw(rt, "op")}
					of := someValues
					if m.Op == alert.MatchRegexp || m.Op == alert.MatchNotRegexp {
						of = somePatterns
					}
					m.Value = rapid.SampledFrom(of).Draw(rt, "text")
					query.Matchers = append(query.Matchers, m)
				}
				query.Severity = rapid.SampledFrom([]alert.Severity{"", alert.High}).Draw(rt, "of severity")
				query.Page.Limit = rapid.IntRange(1, 5).Draw(rt, "limit")
				atOnce(s, rapid.IntRange(0, 6).Draw(rt, "near"))
				denseFrom(s, rapid.SampledFrom([]int{0, denseAlerts}).Draw(rt, "dense"))
				require.Equal(rt, selected(t, s, stored, query), paged(rt, s, query), "%+v", query)
			}
		})
	})
}

// selected gives the n of alerts that a query selects, in their order.
func selected(t testing.TB, s *Store, stored []alert.Alert, query alert.Query) (ns []string) {
	passes := map[string]bool{}
	for _, a := range stored {
		pass := query.Severity == "" || a.Severity == query.Severity
		for _, m := range query.Matchers {
			pass = pass && matches(m, a.Labels)
		}
		passes[a.Labels["n"]] = pass
	}
	for _, r := range alerts(t, s) {
		if n := r.Labels["n"]; passes[n] {
			ns = append(ns, n)
		}
	}
	return ns
}

// paged gives the n of what a query finds, page by page.
func paged(t require.TestingT, s *Store, query alert.Query) (ns []string) {
	for {
		list, err := s.Alerts(context.Background(), query)
		require.NoError(t, err)
		require.LessOrEqual(t, len(list.Alerts), query.Page.Limit)
		for _, a := range list.Alerts {
			ns = append(ns, a.Labels["n"])
		}
		if list.Next == "" {
			return ns
		}
		query.Page.After = list.Next
	}
}

// TestManyLabels searches for more labels than one search of an index looks for.
func TestManyLabels(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		atOnce(s, 2)
		batch := make([]alert.Alert, maxKeys+10)
		for i := range batch {
			start := noon.Add(time.Duration(i) * time.Second)
			batch[i] = firing(start, start, "n", fmt.Sprint(i), "of", []string{"old", "new"}[min(1, i/10)])
		}
		intake(t, s, batch...)
		old := alert.Matcher{Name: "of", Op: "=", Value: "old"}
		for _, m := range []alert.Matcher{{Name: "n", Op: "=~", Value: `\d+`}, {Name: "n", Op: "!=", Value: "99"}, {Name: "of", Op: "!~", Value: "n.+"}} {
			want := []string{"9", "8", "7", "6", "5", "4", "3", "2", "1", "0"}
			query := alert.Query{Matchers: []alert.Matcher{m, old}, Page: state.Page{Limit: 4}}
			assert.Equal(t, want, paged(t, s, query), m)
			query.Matchers = []alert.Matcher{m}
			query.Page = state.Page{Limit: 1000}
			assert.Equal(t, want, paged(t, s, query)[len(paged(t, s, query))-10:], m)
		}
	})
}

// TestLabelsOfOldAlerts brings a database of the version before to the one that searches by labels.
func TestLabelsOfOldAlerts(t *testing.T) {
	eachOpener(t, func(t *testing.T, open func() *Store) {
		s := open()
		files, err := s.flavour.migrations()
		require.NoError(t, err)
		names, err := fs.Glob(files, "*.sql")
		require.NoError(t, err)
		before := fstest.MapFS{}
		for _, name := range names {
			if data, err := fs.ReadFile(files, name); name < "0007" {
				require.NoError(t, err)
				before[name] = &fstest.MapFile{Data: data}
			}
		}
		migrations := migrate.NewMigrations()
		require.NoError(t, migrations.Discover(before))
		db, unlock, err := s.flavour.lock(t.Context())
		require.NoError(t, err)
		require.NoError(t, apply(t.Context(), db, migrations))
		require.NoError(t, unlock(true))
		s.open.Store(true)
		intake(t, s, firing(noon, noon, "n", "1", "service", "web"), firing(noon, noon, "n", "2", "service", ""), firing(noon, noon, "n", "3"))

		require.NoError(t, s.Migrate(t.Context()))
		atOnce(s, 0)
		for want, m := range map[string]alert.Matcher{
			"1": {Name: "service", Op: "=~", Value: "w.+"}, "3": {Name: "n", Op: "!~", Value: "1|2"}, "2": {Name: "n", Op: "=", Value: "2"},
		} {
			assert.Equal(t, []string{want}, paged(t, s, alert.Query{Matchers: []alert.Matcher{m}, Page: state.Page{Limit: 5}}))
		}
		assert.Len(t, paged(t, s, alert.Query{Matchers: []alert.Matcher{{Name: "service", Op: "=", Value: ""}}, Page: state.Page{Limit: 5}}), 2)
		if _, is := s.flavour.(postgresFlavour); is {
			late, err := s.db.NewSelect().Table("alert_labels").Where("seen_on <> ?::date", noon.Format(time.DateOnly)).Count(t.Context())
			require.NoError(t, err)
			assert.Zero(t, late, "labels are of the day on which their newest alert began")
		}
	})
}

// TestLabelsSeenLongAgo begins a search where its labels were seen last, and never behind an alert that has them.
func TestLabelsSeenLongAgo(t *testing.T) {
	s := closeAtEnd(t)(OpenPostgres(postgresConfig(emptyPostgres(t))))
	require.NoError(t, s.Migrate(t.Context()))
	now := time.Now().UTC()
	for i, of := range []string{"gone", "gone", "here", "here", "here", "soon"} {
		start := []time.Time{noon.AddDate(0, 0, -1), noon, now, now.Add(time.Second), now.Add(2 * time.Second), now.AddDate(0, 0, 9)}[i]
		intake(t, s, firing(start, start, "n", fmt.Sprint(i), "of", of, "all", "yes"))
	}
	var days []string
	seen := func() []string {
		require.NoError(t, s.db.NewSelect().Table("alert_labels").ColumnExpr("value || ' ' || seen_on").Where("name = 'of'").Order("value").Scan(t.Context(), &days))
		return days
	}
	assert.Equal(t, "soon "+now.AddDate(0, 0, 9).Format(time.DateOnly), seen()[2], "an alert that begins later than now")
	// As it is months behind the last alert that came with it.
	_, err := s.db.ExecContext(t.Context(), "UPDATE alert_labels SET seen_on = ? WHERE value = 'gone'", noon.Format(time.DateOnly))
	require.NoError(t, err)
	for _, near := range []int{0, 1, nearAlerts} {
		atOnce(s, near)
		for filter, want := range map[alert.Matcher][]string{
			{Name: "of", Op: "=", Value: "gone"}:       {"1", "0"},
			{Name: "of", Op: "=~", Value: "go.*"}:      {"1", "0"},
			{Name: "of", Op: "=~", Value: "gone|here"}: {"4", "3", "2", "1", "0"},
			{Name: "of", Op: "=", Value: "soon"}:       {"5"},
			{Name: "of", Op: "!=", Value: "here"}:      {"5", "1", "0"},
			{Name: "of", Op: "=~", Value: "gone|"}:     {"1", "0"},
			{Name: "of", Op: "=", Value: "never"}:      nil,
		} {
			matchers := []alert.Matcher{filter, {Name: "all", Op: "=", Value: "yes"}}
			assert.Equal(t, want, paged(t, s, alert.Query{Matchers: matchers, Page: state.Page{Limit: 2}}), "%v near %d", filter, near)
		}
	}
	// It is back.
	intake(t, s, firing(now, now, "n", "6", "of", "gone", "all", "yes"))
	assert.Equal(t, "gone "+now.Format(time.DateOnly), seen()[0])
	assert.Equal(t, []string{"6", "1", "0"}, paged(t, s, alert.Query{Matchers: []alert.Matcher{{Name: "of", Op: "=", Value: "gone"}}, Page: state.Page{Limit: 2}}))
}

// TestLabelsAreForgotten deletes the last alerts of some labels.
func TestLabelsAreForgotten(t *testing.T) {
	s := closeAtEnd(t)(OpenPostgres(postgresConfig(emptyPostgres(t))))
	require.NoError(t, s.Migrate(t.Context()))
	end := noon.Add(time.Minute)
	intake(t, s, resolved(noon, end, end, "service", "gone", "zone", "a"), firing(noon, noon, "service", "here"))
	forget := func() (n int) {
		write(t, s, func(ctx context.Context, tx incident.Tx) {
			var err error
			n, err = tx.DeleteAlerts(ctx, end.Add(time.Hour), 10)
			require.NoError(t, err)
		})
		return n
	}
	labels := func() (known []string) {
		require.NoError(t, s.db.NewSelect().Table("alert_labels").ColumnExpr("name || '=' || value").Order("name", "value").Scan(t.Context(), &known))
		return known
	}
	all := []string{"alertname=Test", "service=gone", "service=here", "zone=a"}
	assert.Equal(t, all, labels())
	assert.Equal(t, 1, forget())
	assert.Equal(t, all, labels(), "those that were seen lately stay")
	for range 2 {
		for _, table := range []string{"alert_labels", "alert_label_names"} {
			_, err := s.db.ExecContext(t.Context(), "UPDATE "+table+" SET seen_on = '2026-01-01'")
			require.NoError(t, err)
		}
		assert.Zero(t, forget())
		assert.Equal(t, []string{"alertname=Test", "service=here"}, labels())
	}
	sets, err := s.db.NewSelect().Table("alert_label_names").Where("seen_on = CURRENT_DATE").Count(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 1, sets)
	intake(t, s, firing(noon.Add(time.Hour), noon.Add(time.Hour), "service", "gone"))
	assert.Equal(t, []string{"alertname=Test", "service=gone", "service=here"}, labels(), "it is back")
}

// TestAlertsOfService finds alerts by the label service, whatever else names services, near the beginning and behind.
func TestAlertsOfService(t *testing.T) {
	long := strings.Repeat("ü", 300)
	each(t, func(t *testing.T, s *Store) {
		for i, labels := range [][]string{
			{"service", "cart"}, {"service_name", "cart"}, {"service", "cart", "service_name", "shop"}, {"service", "shop", "job", "cart"},
			{"service", long}, {"service", long + "x"}, {"service", "cart", "team", "few"},
		} {
			start := noon.Add(time.Duration(i) * time.Minute)
			intake(t, s, firing(start, start, append(labels, "n", fmt.Sprint(i))...))
		}
		for _, near := range []int{0, narrowShare, nearAlerts} {
			atOnce(s, near)
			for filter, want := range map[[4]string][]string{
				{"service", "cart"}:                {"6", "2", "0"},
				{"service", "cart", "team", "few"}: {"6"},
				{"service", long}:                  {"4"},
				{"service", "none"}:                nil,
				{"service_name", "cart"}:           {"1"},
				{"service", ""}:                    {"1"},
			} {
				matchers := []alert.Matcher{{Name: filter[0], Op: alert.MatchEqual, Value: filter[1]}}
				if filter[2] != "" {
					matchers = append(matchers, alert.Matcher{Name: filter[2], Op: alert.MatchEqual, Value: filter[3]})
				}
				list, err := s.Alerts(t.Context(), alert.Query{Matchers: matchers})
				require.NoError(t, err)
				var got []string
				for i := range list.Alerts {
					got = append(got, list.Alerts[i].Labels["n"])
				}
				require.Equal(t, want, got, "%v near %d", filter, near)
			}
		}
	})
}
