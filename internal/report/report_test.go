package report

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/quantivista/monitoring/internal/state"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestDefaults(t *testing.T) {
	var q Query
	require.NoError(t, q.Complete(now))
	assert.Equal(t, Query{Selection: Selection{Start: now.Add(-DefaultPeriod), End: now}, By: ByRule, Limit: DefaultLimit}, q)
	past := Query{Selection: Selection{End: now.Add(-time.Hour)}}
	require.NoError(t, past.Complete(now))
	assert.Equal(t, DefaultPeriod, past.End.Sub(past.Start))
}

func TestWhatCannotBeAskedFor(t *testing.T) {
	for field, q := range map[string]Query{
		"start":   {Selection: Selection{Start: time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), End: time.Date(0, 1, 2, 0, 0, 0, 0, time.UTC)}},
		"end":     {Selection: Selection{Start: now}},
		"groupBy": {By: "team"},
		"limit":   {Limit: MaxLimit + 1},
	} {
		var fault *state.FieldError
		require.ErrorAs(t, q.Complete(now), &fault)
		assert.Equal(t, field, fault.Field)
	}
}

func TestPeriodIsBounded(t *testing.T) {
	q := Query{Selection: Selection{Start: now.Add(-MaxPeriod - 1)}}
	require.ErrorContains(t, q.Complete(now), "at most 366 days before end")
}

// A completed query is complete, and its two periods meet and are equally long.
func TestPeriods(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := Query{Limit: rapid.IntRange(-1, MaxLimit+1).Draw(t, "limit")}
		moment := rapid.Custom(func(t *rapid.T) time.Time { return now.Add(time.Duration(rapid.Int64().Draw(t, "offset"))) })
		q.Start, q.End = moment.Draw(t, "start"), moment.Draw(t, "end")
		if q.Complete(now) != nil {
			return
		}
		again := q
		require.NoError(t, again.Complete(now.Add(time.Hour)))
		assert.Equal(t, q, again)
		before := q.before()
		assert.Equal(t, q.Start, before.End)
		assert.Equal(t, q.End.Sub(q.Start), before.End.Sub(before.Start))
	})
}

// fixed gives figures that tell what was asked for.
type fixed struct{ fail error }

func (f fixed) AlertFigures(_ context.Context, s Selection) (Figures, error) {
	return Figures{Alerts: int(s.End.Sub(s.Start).Hours()), Firing: s.End.Day()}, f.fail
}

func (f fixed) AlertGroups(ctx context.Context, s Selection, by Dimension, limit int) (Groups, error) {
	totals, err := f.AlertFigures(ctx, s)
	return Groups{Totals: totals, Noisiest: []Group{{Name: string(by), Figures: Figures{Alerts: limit}}}}, err
}

func TestAlerts(t *testing.T) {
	q := Query{Selection: Selection{Start: now.Add(-48 * time.Hour), End: now}, By: ByService, Limit: 3}
	got, err := Alerts(t.Context(), fixed{}, q)
	require.NoError(t, err)
	assert.Equal(t, Report{
		Query: q, Previous: Figures{Alerts: 48, Firing: 27},
		Groups: Groups{Totals: Figures{Alerts: 48, Firing: 1}, Noisiest: []Group{{Name: "service", Figures: Figures{Alerts: 3}}}},
	}, got)
	broken := errors.New("broken")
	_, err = Alerts(t.Context(), fixed{broken}, q)
	require.ErrorIs(t, err, broken)
}
