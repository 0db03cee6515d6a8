package sqlstore

import (
	"database/sql/driver"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNearestRank(t *testing.T) {
	for name, tt := range map[string]struct {
		values   []driver.Value
		fraction float64
		want     driver.Value
	}{
		"none":      {nil, 0.5, nil},
		"NULL":      {[]driver.Value{nil, nil}, 0.5, nil},
		"one":       {[]driver.Value{7.5}, 0.9, 7.5},
		"a half":    {[]driver.Value{int64(4), 1.0, nil, 3.0, 2.0}, 0.5, 2.0},
		"of ten":    {[]driver.Value{1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0}, 0.9, 9.0},
		"of eleven": {[]driver.Value{1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0}, 0.9, 10.0},
		"the least": {[]driver.Value{2.0, 1.0}, 0, 1.0},
	} {
		var n nearestRank
		for _, v := range tt.values {
			require.NoError(t, n.Step(nil, []driver.Value{v, tt.fraction}))
		}
		got, err := n.WindowValue(nil)
		require.NoError(t, err)
		assert.Equal(t, tt.want, got, name)
	}
	require.Error(t, (&nearestRank{}).Step(nil, []driver.Value{"text", 0.5}))
	require.ErrorIs(t, (&nearestRank{}).WindowInverse(nil, nil), errors.ErrUnsupported)
}
