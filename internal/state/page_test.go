package state

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSize(t *testing.T) {
	for limit, want := range map[int]int{0: DefaultPageSize, 1: 1, MaxPageSize: MaxPageSize} {
		got, err := Page{Limit: limit}.Size()
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for _, limit := range []int{-1, MaxPageSize + 1} {
		_, err := Page{Limit: limit}.Size()
		require.ErrorIs(t, err, ErrInvalid)
	}
}

func TestCursorsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Cursor{List: rapid.String().Draw(t, "list"), Key: rapid.String().Draw(t, "key"), ID: rapid.String().Draw(t, "id")}
		got, err := ParseCursor(want.String(), want.List)
		require.NoError(t, err)
		assert.Equal(t, want, got)
		_, err = ParseCursor(want.String(), want.List+"x")
		require.ErrorIs(t, err, ErrInvalid)
	})
}

func FuzzParseCursor(f *testing.F) {
	f.Add("e30")
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := ParseCursor(s, "alerts"); err != nil {
			require.ErrorIs(t, err, ErrInvalid)
		}
	})
}
