package sqlstore

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestChangedAlerts(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		now := noon
		s.now = func() time.Time { return now }
		intake(t, s, firing(noon, noon, "x", "1"))
		now = noon.Add(time.Minute)
		intake(t, s, firing(noon, noon, "x", "2"))
		got, err := s.ChangedAlerts(t.Context(), noon.Add(time.Second), nil)
		require.NoError(t, err)
		require.Len(t, got, 1)
		assert.Equal(t, "2", got[0].Labels["x"])
		known := map[string]int64{got[0].ID: got[0].Version}
		got, err = s.ChangedAlerts(t.Context(), noon, known)
		require.NoError(t, err)
		require.Len(t, got, 1)
		assert.Equal(t, "1", got[0].Labels["x"])
		intake(t, s, resolved(noon, now, now, "x", "2"))
		got, err = s.ChangedAlerts(t.Context(), noon.Add(time.Second), known)
		require.NoError(t, err)
		require.Len(t, got, 1)
		assert.Equal(t, "2", got[0].Labels["x"])
	})
}
