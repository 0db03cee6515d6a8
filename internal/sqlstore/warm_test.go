package sqlstore

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/state"
)

func TestWarm(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		intake(t, s, firing(noon, noon, "service", "cart"))
		require.NoError(t, s.Warm(t.Context()))
		assert.GreaterOrEqual(t, s.db.DB.Stats().OpenConnections, s.idle)
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if s.idle > 0 {
			require.ErrorIs(t, s.Warm(over), context.Canceled)
		}
		require.NoError(t, s.Close())
		require.ErrorIs(t, s.Warm(t.Context()), state.ErrUnavailable)
	})
}
