package sqlstore

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/quantivista/monitoring/internal/alertmanager"
	"github.com/quantivista/monitoring/internal/state"
)

func entry(key string, updated time.Time, data string) alertmanager.Entry {
	return alertmanager.Entry{Kind: alertmanager.KindSilence, Key: key, UpdatedAt: updated, ExpiresAt: updated.Add(time.Hour), Data: []byte(data)}
}

func TestTheLaterFormOfAnEntryHolds(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		none, next, err := s.EntriesSince(t.Context(), 0)
		require.NoError(t, err)
		assert.Empty(t, none)
		assert.Zero(t, next)

		long := strings.Repeat("{service=\"\x00'\"}", 1000) // longer than an index takes
		first, other := entry("a", noon, "\x00\xff1"), entry(long, noon, "2")
		other.Kind = alertmanager.KindNotification
		require.NoError(t, s.SaveEntries(t.Context(), first, other, entry("a", noon.Add(-time.Second), "older")))
		got, next, err := s.EntriesSince(t.Context(), 0)
		require.NoError(t, err)
		other.Key = text(long)
		assert.ElementsMatch(t, []alertmanager.Entry{first, other}, got)

		require.NoError(t, s.SaveEntries(t.Context(), entry("a", noon.Add(-time.Second), "older"), entry("a", noon, "the same time")))
		got, after, err := s.EntriesSince(t.Context(), next)
		require.NoError(t, err)
		assert.Empty(t, got)
		assert.Equal(t, next, after)

		second := entry("a", noon.Add(time.Microsecond), "newer")
		require.NoError(t, s.SaveEntries(t.Context(), second))
		got, _, err = s.EntriesSince(t.Context(), next)
		require.NoError(t, err)
		assert.Equal(t, []alertmanager.Entry{second}, got)

		require.ErrorIs(t, s.SaveEntries(t.Context(), first, alertmanager.Entry{Kind: "x"}), state.ErrInvalid)
		require.NoError(t, s.SaveEntries(t.Context()))
	})
}

func TestDroppedEntriesHideNoNewOnes(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		require.NoError(t, s.SaveEntries(t.Context(), entry("a", noon, "1")))
		require.NoError(t, s.SaveEntries(t.Context(), entry("b", noon.Add(time.Hour), "2")))
		_, next, err := s.EntriesSince(t.Context(), 0)
		require.NoError(t, err)

		require.NoError(t, s.DropEntries(t.Context(), noon.Add(90*time.Minute)))
		got, _, err := s.EntriesSince(t.Context(), 0)
		require.NoError(t, err)
		assert.Equal(t, []alertmanager.Entry{entry("b", noon.Add(time.Hour), "2")}, got)

		require.NoError(t, s.DropEntries(t.Context(), noon.Add(24*time.Hour)))
		require.NoError(t, s.SaveEntries(t.Context(), entry("c", noon, "3")))
		got, _, err = s.EntriesSince(t.Context(), next)
		require.NoError(t, err)
		assert.Equal(t, []alertmanager.Entry{entry("c", noon, "3")}, got)
	})
}

// TestEntriesComeInPages has replicas store at once: a reader that goes on from page to page sees everything.
func TestEntriesComeInPages(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		const writers, each = 5, 700
		var group errgroup.Group
		for w := range writers {
			group.Go(func() error {
				entries := make([]alertmanager.Entry, each)
				for i := range entries {
					entries[i] = entry(fmt.Sprintf("%d/%d", w, i), noon, "x")
				}
				return s.SaveEntries(t.Context(), entries...)
			})
		}
		require.NoError(t, group.Wait())
		seen, pages := map[string]int{}, 0
		for revision := int64(0); ; pages++ {
			got, next, err := s.EntriesSince(t.Context(), revision)
			require.NoError(t, err)
			if len(got) == 0 {
				break
			}
			for _, e := range got {
				seen[e.Key]++
			}
			revision = next
		}
		assert.Len(t, seen, writers*each)
		for key, times := range seen {
			assert.Equal(t, 1, times, key)
		}
		assert.Greater(t, pages, 1)
	})
}
