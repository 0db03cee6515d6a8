package sqlstore

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/quantivista/monitoring/internal/maintenance"
	"github.com/quantivista/monitoring/internal/state"
)

// newWindow stores a window of two hours from start on.
func newWindow(t testing.TB, s *Store, name string, start time.Time, recurrence string) maintenance.Window {
	t.Helper()
	desk := maintenance.Desk{Store: s, Now: func() time.Time { return noon }}
	w, err := desk.Create(t.Context(), "ada", maintenance.Definition{
		Name: name, Description: "It's \"new\"", Matchers: []string{`service="db"`, `env=~"a|b"`}, TimeZone: "Europe/Berlin",
		StartsAt: start, EndsAt: start.Add(2 * time.Hour), Recurrence: recurrence,
	})
	require.NoError(t, err)
	return w
}

func TestWindows(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		before, err := s.WindowsRevision(t.Context())
		require.NoError(t, err)
		w := newWindow(t, s, "Patches", noon.Add(time.Hour), "FREQ=WEEKLY;COUNT=3")
		assert.Equal(t, noon.Add(15*24*time.Hour-21*time.Hour).UTC(), w.OverAt)
		got, err := s.Window(t.Context(), w.ID)
		require.NoError(t, err)
		assert.Equal(t, w, got)
		after, err := s.WindowsRevision(t.Context())
		require.NoError(t, err)
		assert.Greater(t, after, before)

		got.Name, got.UpdatedBy, got.UpdatedAt, got.CreatedBy = "Other", "eve", noon.Add(time.Minute), "eve"
		changed, err := s.UpdateWindow(t.Context(), got, maintenance.Changed)
		require.NoError(t, err)
		assert.Equal(t, []any{"Other", "ada", "eve", int64(2)}, []any{changed.Name, changed.CreatedBy, changed.UpdatedBy, changed.Version})
		_, err = s.UpdateWindow(t.Context(), got, maintenance.Changed)
		require.ErrorIs(t, err, state.ErrVersion)
		last, err := s.WindowsRevision(t.Context())
		require.NoError(t, err)
		assert.Equal(t, after+1, last)

		history, err := s.WindowHistory(t.Context(), w.ID, 10)
		require.NoError(t, err)
		require.Len(t, history, 2)
		assert.Equal(t, maintenance.Revision{Window: changed, Action: maintenance.Changed}, history[0])
		assert.Equal(t, maintenance.Revision{Window: w, Action: maintenance.Created}, history[1])
		refused(t, s, "maintenance_window_revisions_kept", "DELETE FROM maintenance_window_revisions")
		refused(t, s, "maintenance_window_revisions_kept", "UPDATE maintenance_window_revisions SET version = 7")
		refused(t, s, "maintenance_windows_kept", "DELETE FROM maintenance_windows")
		refused(t, s, "maintenance_windows_ends_after_start", "UPDATE maintenance_windows SET ends_at = starts_at")

		for _, id := range []string{newID(), "x"} {
			_, err = s.Window(t.Context(), id)
			require.ErrorIs(t, err, state.ErrNotFound)
			_, err = s.WindowHistory(t.Context(), id, 1)
			require.ErrorIs(t, err, state.ErrNotFound)
			got.ID = id
			_, err = s.UpdateWindow(t.Context(), got, maintenance.Changed)
			require.ErrorIs(t, err, state.ErrNotFound)
		}
		_, err = s.CreateWindow(t.Context(), maintenance.Window{})
		require.ErrorIs(t, err, state.ErrInvalid)
	})
}

func TestListsOfWindows(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		var ids []string
		for i := range 5 {
			ids = append(ids, newWindow(t, s, fmt.Sprint("'; DROP TABLE alerts; --", i), noon.Add(time.Duration(i)*time.Hour), "").ID)
		}
		endless := newWindow(t, s, "endless", noon, "FREQ=DAILY").ID
		var got []string
		page := state.Page{Limit: 2}
		for {
			list, err := s.Windows(t.Context(), maintenance.Query{Page: page})
			require.NoError(t, err)
			for _, w := range list.Windows {
				got = append(got, w.ID)
			}
			if page.After = list.Next; page.After == "" {
				break
			}
		}
		assert.Equal(t, []string{endless, ids[4], ids[3], ids[2], ids[1], ids[0]}, got)
		over, err := s.Windows(t.Context(), maintenance.Query{OverBy: noon.Add(3 * time.Hour)})
		require.NoError(t, err)
		assert.Len(t, over.Windows, 2)
		live, _, err := s.LiveWindows(t.Context(), noon.Add(3*time.Hour))
		require.NoError(t, err)
		assert.Len(t, live, 4)
		_, err = s.Windows(t.Context(), maintenance.Query{Page: state.Page{After: "x"}})
		require.ErrorIs(t, err, state.ErrInvalid)
	})
}

// Of writers at once, each change is on the version before it, and all are in the history.
func TestManyWritersOfAWindow(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		w := newWindow(t, s, "Patches", noon.Add(time.Hour), "FREQ=DAILY")
		desk := maintenance.Desk{Store: s, Now: func() time.Time { return noon }}
		var writers errgroup.Group
		for i := range 4 {
			writers.Go(func() error {
				def := w.Definition
				def.Name = fmt.Sprint(i)
				_, err := desk.Change(context.Background(), w.ID, "ada", func(int64) error { return nil }, def)
				return err
			})
		}
		require.NoError(t, writers.Wait())
		history, err := s.WindowHistory(t.Context(), w.ID, 10)
		require.NoError(t, err)
		assert.Len(t, history, 5)
	})
}

func TestTooManyWindows(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		w := newWindow(t, s, "Patches", noon.Add(time.Hour), "")
		columns := `name, description, matchers, starts_at, ends_at, time_zone, recurrence, over_at, created_at, created_by, updated_at, updated_by`
		for range maintenance.MaxLive - 1 {
			accepted(t, s, `INSERT INTO maintenance_windows (id, `+columns+`) SELECT ?, `+columns+` FROM maintenance_windows WHERE id = ?`, newID(), w.ID)
		}
		w.ID = ""
		_, err := s.CreateWindow(t.Context(), w)
		require.ErrorIs(t, err, state.ErrConflict)
		w.CreatedAt = w.OverAt
		_, err = s.CreateWindow(t.Context(), w)
		require.NoError(t, err, "they are over")
	})
}
