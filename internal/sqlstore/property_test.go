package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
)

// lives draws what reporters say of some alerts: each fires, is reported again with other values, resolves, and fires
// anew after pauses shorter and longer than the flap window. Reports are in their order.
func lives(t *rapid.T) []alert.Alert {
	var reports []alert.Alert
	for n := range rapid.IntRange(1, 3).Draw(t, "alerts") {
		name := fmt.Sprint(n)
		now := noon
		pass := func(most time.Duration) time.Time {
			now = now.Add(time.Duration(rapid.IntRange(1, int(most/time.Second)).Draw(t, "pause")) * time.Second)
			return now
		}
		for range rapid.IntRange(1, 5).Draw(t, "periods") {
			start := pass(2 * window)
			for range rapid.IntRange(0, 3).Draw(t, "reports") {
				a := firing(start, pass(window), "n", name)
				a.Annotations["summary"] = rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "summary")
				a.Severity = rapid.SampledFrom(alert.Severities()).Draw(t, "severity")
				if rapid.Bool().Draw(t, "expires") {
					a.ExpiresAt = a.UpdatedAt.Add(time.Duration(rapid.IntRange(1, 100).Draw(t, "lasts")) * time.Minute)
				}
				reports = append(reports, a)
			}
			if rapid.Bool().Draw(t, "resolves") {
				end := pass(window)
				reports = append(reports, resolved(start, end, end, "n", name))
			}
		}
	}
	return reports
}

// rows shows what is stored, without what the order of writing decides: IDs, versions and times of writing.
func rows(t testing.TB, s *Store) []string {
	var shown []string
	for _, r := range alerts(t, s) {
		shown = append(shown, fmt.Sprintf("%v %s %s %s..%s (%s) %v %v %d %v", r.Labels, r.Status, r.Severity, r.StartsAt, r.EndsAt, r.ExpiresAt, r.Annotations, r.Periods, r.Flaps(), r.UpdatedAt))
	}
	slices.Sort(shown)
	return shown
}

func clearAlerts(t testing.TB, s *Store) {
	_, err := s.db.ExecContext(context.Background(), "DELETE FROM alerts")
	require.NoError(t, err)
}

// TestReportsInAnyOrder checks that rows follow from the set of reports: replays, other orders, other batches and two
// writers at once end in the same rows as the reports in their order, one by one.
func TestReportsInAnyOrder(t *testing.T) {
	eachOpener(t, func(t *testing.T, open func() *Store) {
		s, replica := open(), open()
		require.NoError(t, s.Migrate(t.Context()))
		require.NoError(t, replica.Migrate(t.Context()))
		rapid.Check(t, func(rt *rapid.T) {
			reports := lives(rt)
			clearAlerts(t, s)
			intake(t, s, reports...)
			want := rows(t, s)

			shuffled := rapid.Permutation(slices.Concat(reports, reports)).Draw(rt, "order")
			cut := rapid.IntRange(0, len(shuffled)).Draw(rt, "cut")
			clearAlerts(t, s)
			var writers errgroup.Group
			for writer, part := range map[*Store][]alert.Alert{s: shuffled[:cut], replica: shuffled[cut:]} {
				size := rapid.IntRange(1, 5).Draw(rt, "batch")
				writers.Go(func() error {
					for batch := range slices.Chunk(part, size) {
						err := writer.Write(context.Background(), func(ctx context.Context, tx incident.Tx) error {
							_, err := tx.Intake(ctx, batch, window)
							return err
						})
						if err != nil {
							return err
						}
					}
					return nil
				})
			}
			require.NoError(rt, writers.Wait())
			if got := rows(t, s); !assert.ObjectsAreEqual(want, got) {
				rt.Fatalf("want\n%s\ngot\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
			}
			changes := intake(t, s, reports...)
			require.Empty(rt, changes, "a replay changes nothing")
		})
	})
}
