package traces

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"pgregory.net/rapid"
)

func TestParseTags(t *testing.T) {
	for text, want := range map[string]map[string]string{
		`error=true http.response.status_code=500`: {"error": "true", "http.response.status_code": "500"},
		`customer="Ada Lovelace"`:                  {"customer": "Ada Lovelace"},
		` {"customer": "Ada Lovelace", "a": ""}`:   {"customer": "Ada Lovelace", "a": ""},
		"a=1\nb=2":                                 {"a": "1", "b": "2"},
	} {
		got, err := ParseTags(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", " ", "error", "=true", `a="`, `{"a": 1}`, "{", `{"": "b"}`, "{}", "null", "[]"} {
		_, err := ParseTags(text)
		require.ErrorContains(t, err, "must be written as error=true", text)
	}
	var many string
	for i := range MaxTags + 1 {
		many += " " + string(rune('A'+i)) + "x=1"
	}
	_, err := ParseTags(many)
	require.Error(t, err)
}

func FuzzParseTags(f *testing.F) {
	for _, seed := range []string{`a=1 b="c d"`, `{"a":"b"}`, "a", `a="`, "\x00=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tags, err := ParseTags(s)
		if (err == nil) != (len(tags) > 0) || len(tags) > MaxTags {
			t.Fatalf("%d tags, %v", len(tags), err)
		}
	})
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte("\x0a\x04\x0a\x02ab"))
	f.Fuzz(func(t *testing.T, b []byte) {
		names, err := stringsOf(b, 1)
		operations, operationsErr := operationsOf(b)
		if err == nil && operationsErr == nil && len(names) != len(operations) {
			t.Fatalf("%d and %d", len(names), len(operations))
		}
	})
}

func TestParseID(t *testing.T) {
	id, err := ParseID("4BF92F3577B34DA6a3ce929d0e0e4736")
	require.NoError(t, err)
	assert.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736", id.String())
	id, err = ParseID("a3ce929d0e0e4736")
	require.NoError(t, err)
	assert.Equal(t, "0000000000000000a3ce929d0e0e4736", id.String())
	for _, s := range []string{"", "a3ce", "00000000000000000000000000000000", "g3ce929d0e0e4736", "4bf92f3577b34da6a3ce929d0e0e47361"} {
		_, err := ParseID(s)
		require.Error(t, err, s)
	}
}

// TestSplitLosesNothing puts spans of several traces into several scopes.
func TestSplitLosesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		td, counts := ptrace.NewTraces(), map[pcommon.TraceID]int{}
		for _, ids := range rapid.SliceOfN(rapid.SliceOfN(rapid.ByteRange(1, 5), 0, 6), 0, 6).Draw(rt, "scopes") {
			tracesOf("shop", ids...).ResourceSpans().MoveAndAppendTo(td.ResourceSpans())
			for _, id := range ids {
				counts[pcommon.TraceID{id}]++
			}
		}
		split := Split(td)
		require.Len(rt, split, len(counts))
		for _, one := range split {
			require.Equal(rt, counts[ID(one)], one.SpanCount())
			require.Equal(rt, pcommon.Timestamp(ID(one)[0]), Start(one))
		}
	})
}
