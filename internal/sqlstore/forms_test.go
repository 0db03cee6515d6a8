package sqlstore

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func FuzzParseArray(f *testing.F) {
	for _, seed := range []string{"{}", `{a,"b c"}`, `{"\"\\"}`, "{", "{,}", `{"a"b}`, `{a,}`, "x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		elements, err := parseArray(s)
		if err != nil {
			return
		}
		again, err := parseArray(list(elements).array())
		require.NoError(t, err)
		assert.Equal(t, elements, again)
	})
}

func TestListsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOf(rapid.String()).Draw(t, "list")
		if want == nil {
			want = []string{}
		}
		got, err := parseArray(list(want).array())
		require.NoError(t, err)
		assert.Equal(t, want, got)
	})
}

func TestInstants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		instants := rapid.Custom(func(t *rapid.T) instant {
			return at(time.UnixMicro(rapid.Int64Range(-1e15, 1e17).Draw(t, "µs")))
		})
		a, b := instants.Draw(t, "a"), instants.Draw(t, "b")
		textA, err := a.Value()
		require.NoError(t, err)
		textB, err := b.Value()
		require.NoError(t, err)
		assert.Equal(t, a.Before(b.Time), textA.(string) < textB.(string), "text sorts as time")
		var again instant
		require.NoError(t, again.Scan(textA))
		assert.Equal(t, a, again)
	})
	var i instant
	require.NoError(t, i.Scan("2026-03-01 12:00:00.5+00"))
	assert.Equal(t, time.Date(2026, 3, 1, 12, 0, 0, 5e8, time.UTC), i.Time)
	require.Error(t, i.Scan("noon"))
	require.Error(t, i.Scan(1))
	_, err := instant{time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}.Value()
	require.Error(t, err)
}
