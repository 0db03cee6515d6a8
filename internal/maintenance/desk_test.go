package maintenance_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/maintenance"
	"github.com/quantivista/monitoring/internal/sqlstore"
	"github.com/quantivista/monitoring/internal/sqlstore/sqlitetest"
	"github.com/quantivista/monitoring/internal/state"
)

// bench is a desk on a SQLite store, with a clock that the test moves.
type bench struct {
	t     *testing.T
	store *sqlstore.Store
	desk  maintenance.Desk
	now   time.Time
}

func newBench(t *testing.T) *bench {
	store := sqlitetest.Open(t, time.Second)
	b := &bench{t: t, store: store, now: time.Date(2026, 12, 6, 1, 0, 0, 0, time.UTC)}
	b.desk = maintenance.Desk{Store: store, Now: func() time.Time { return b.now }}
	return b
}

func anyVersion(int64) error { return nil }

// weekly is on Sundays from 02:00 to 04:00, the first time an hour behind the bench's clock.
func weekly() maintenance.Definition {
	start := time.Date(2026, 12, 6, 2, 0, 0, 0, time.UTC)
	return maintenance.Definition{
		Name: "Patches", Matchers: []string{`{service=db, env=~"a|b"}`}, StartsAt: start, EndsAt: start.Add(2 * time.Hour),
		TimeZone: "UTC", Recurrence: "FREQ=WEEKLY",
	}
}

func (b *bench) create(def maintenance.Definition) maintenance.Window {
	b.t.Helper()
	w, err := b.desk.Create(b.t.Context(), "ada", def)
	require.NoError(b.t, err)
	return w
}

// state gives where the window is, as stored, at the bench's time.
func (b *bench) state(id string) maintenance.State {
	b.t.Helper()
	w, err := b.store.Window(b.t.Context(), id)
	require.NoError(b.t, err)
	times, err := maintenance.Read(w)
	require.NoError(b.t, err)
	return times.State(b.now)
}

func TestEndEarly(t *testing.T) {
	b := newBench(t)
	w := b.create(weekly())
	assert.Equal(t, []string{`service="db"`, `env=~"a|b"`}, w.Matchers, "in one form")
	_, err := b.desk.EndOccurrence(t.Context(), w.ID, "eve", anyVersion)
	require.ErrorIs(t, err, state.ErrConflict, "nothing goes on")
	b.now = b.now.Add(90 * time.Minute)
	assert.Equal(t, maintenance.Active, b.state(w.ID))
	_, err = b.desk.EndOccurrence(t.Context(), w.ID, "eve", anyVersion)
	require.NoError(t, err)
	assert.Equal(t, maintenance.Upcoming, b.state(w.ID))
	b.now = b.now.Add(7 * 24 * time.Hour)
	assert.Equal(t, maintenance.Active, b.state(w.ID), "the next one comes as planned")
	cancelled, err := b.desk.Cancel(t.Context(), w.ID, "bob", anyVersion)
	require.NoError(t, err)
	assert.Equal(t, b.now, cancelled.OverAt)
	assert.Equal(t, maintenance.Ended, b.state(w.ID))
	again, err := b.desk.Cancel(t.Context(), w.ID, "ada", anyVersion)
	require.NoError(t, err)
	assert.Equal(t, cancelled, again, "it stays as it is")
	_, err = b.desk.Change(t.Context(), w.ID, "ada", anyVersion, weekly())
	require.ErrorIs(t, err, state.ErrConflict)

	history, err := b.store.WindowHistory(t.Context(), w.ID, 10)
	require.NoError(t, err)
	var told []string
	for _, r := range history {
		told = append(told, string(r.Action)+" by "+r.UpdatedBy)
	}
	assert.Equal(t, []string{"cancelled by bob", "occurrence_ended by eve", "created by ada"}, told)
	from, to := weekly().StartsAt.Add(-time.Hour), weekly().StartsAt.AddDate(0, 1, 0)
	past := maintenance.Occurrences(history, from, to, 10)
	start := weekly().StartsAt
	assert.Equal(t, []maintenance.Occurrence{
		{Start: start, End: start.Add(30 * time.Minute)},
		{Start: start.AddDate(0, 0, 7), End: start.AddDate(0, 0, 7).Add(30 * time.Minute)},
	}, past, "as it was")
}

func TestOneOffThatEndsEarlyIsOver(t *testing.T) {
	b := newBench(t)
	def := weekly()
	def.Recurrence = ""
	w := b.create(def)
	b.now = b.now.Add(90 * time.Minute)
	_, err := b.desk.EndOccurrence(t.Context(), w.ID, "eve", anyVersion)
	require.NoError(t, err)
	assert.Equal(t, maintenance.Ended, b.state(w.ID))
}

func TestEditsAreOfTheFuture(t *testing.T) {
	b := newBench(t)
	w := b.create(weekly())
	b.now = b.now.Add(10 * 24 * time.Hour)
	def := weekly()
	def.EndsAt = def.EndsAt.Add(time.Hour)
	changed, err := b.desk.Change(t.Context(), w.ID, "eve", anyVersion, def)
	require.NoError(t, err)
	assert.Equal(t, []string{"ada", "eve"}, []string{changed.CreatedBy, changed.UpdatedBy})
	history, err := b.store.WindowHistory(t.Context(), w.ID, 10)
	require.NoError(t, err)
	var hours []float64
	for _, o := range maintenance.Occurrences(history, w.StartsAt, w.StartsAt.AddDate(0, 0, 20), 10) {
		hours = append(hours, o.End.Sub(o.Start).Hours())
	}
	assert.Equal(t, []float64{2, 2, 3}, hours, "what has passed was as it was")

	var fault *state.FieldError
	def.Recurrence = ""
	_, err = b.desk.Change(t.Context(), w.ID, "eve", anyVersion, def)
	require.ErrorAs(t, err, &fault)
	assert.Equal(t, "endsAt", fault.Field, "it would be over already")
	_, err = b.desk.Create(t.Context(), "eve", def)
	require.ErrorAs(t, err, &fault)
	refused := errors.New("another version")
	_, err = b.desk.Change(t.Context(), w.ID, "eve", func(int64) error { return refused }, weekly())
	require.ErrorIs(t, err, refused)
}

func TestBoard(t *testing.T) {
	b := newBench(t)
	board := maintenance.NewBoard(b.store, func(maintenance.Window, error) {})
	muted := func(labels ...string) (names []string) {
		t.Helper()
		mutes, err := board.Muting(t.Context(), b.now)
		require.NoError(t, err)
		a := alert.Alert{Labels: map[string]string{}}
		for i := 0; i < len(labels); i += 2 {
			a.Labels[labels[i]] = labels[i+1]
		}
		for _, m := range mutes(&a) {
			require.Equal(t, alert.MutedByMaintenance, m.Kind)
			names = append(names, m.Name)
		}
		return names
	}
	assert.Empty(t, muted("service", "db", "env", "a"))
	w := b.create(weekly())
	assert.Empty(t, muted("service", "db", "env", "a"), "it begins in an hour")
	b.now = b.now.Add(time.Hour)
	assert.Equal(t, []string{"Patches"}, muted("service", "db", "env", "a"))
	assert.Empty(t, muted("service", "db", "env", "c"))
	assert.Empty(t, muted())
	other := weekly()
	other.Name = "More"
	b.create(other)
	assert.Equal(t, []string{"Patches", "More"}, muted("service", "db", "env", "b"))
	_, err := b.desk.Cancel(t.Context(), w.ID, "eve", anyVersion)
	require.NoError(t, err)
	assert.Equal(t, []string{"More"}, muted("service", "db", "env", "b"), "at once")
	b.now = b.now.Add(2 * time.Hour)
	assert.Empty(t, muted("service", "db", "env", "b"))
	b.now = b.now.Add(7*24*time.Hour - time.Minute)
	assert.Equal(t, []string{"More"}, muted("service", "db", "env", "b"))
	require.NoError(t, b.store.Close())
	_, err = board.Muting(context.Background(), b.now)
	require.ErrorIs(t, err, state.ErrUnavailable)
}
