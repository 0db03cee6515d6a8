package sqlstore

import (
	"regexp"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/quantivista/monitoring/internal/state"
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

// TestPatternsMeanTheSame compares PostgreSQL's answer to the translated pattern with RE2's.
func TestPatternsMeanTheSame(t *testing.T) {
	s := closeAtEnd(t)(OpenPostgres(postgresConfig(emptyPostgres(t))))
	texts := []string{"", "a", "A", "ab", "aab", "abc", "b", "k", "\u212a", "ß", "é", "日本", "a\nb", "\n", ".", "a.b", "*", "[a]", "^a$", `\d`, "12", "a-z", "]", "a b", "_"}
	for _, pattern := range []string{
		"", "a", "a|b", "a*", "a+b?", "(a|b)+", ".*", ".", "a.b", `a\.b`, "[abc]+", "[^a]", `[\]a-]+`, `\d+`, `\w+`, `\s`, `\D`, `[[:alpha:]]+`, "(?i)k", "(?i:A)b", `\pL+`,
		"a{2}b", "a{0,1}", "a{1,}", "(?:ab|a)(?:c|)", "^a$", "^$|a", "(?-s).", "(?U)a+", `\x61`, `\*`, `\[a\]`, `\^a\$`, `\\d`, "[^\\x00-\\x7f]+", "((((a))))", "a**", "|", "(|a)+", `\Aa\z`, "[a-z&&b]", `\Qa.b\E`,
		"(?i)ß", "é|日.",
	} {
		re, err := regexp.Compile(anchored(pattern))
		if err != nil {
			_, err = postgresPattern(pattern)
			require.ErrorIs(t, err, state.ErrInvalid, pattern)
			continue
		}
		translated, err := postgresPattern(pattern)
		require.NoError(t, err, pattern)
		for _, text := range texts {
			var got bool
			require.NoError(t, s.db.QueryRowContext(t.Context(), "SELECT ? ~ ?", text, translated).Scan(&got), pattern)
			assert.Equal(t, re.MatchString(text), got, "%q on %q, written %q", pattern, text, translated)
		}
	}
	for _, pattern := range []string{`\ba`, "(?m)^a", "(?m)a$", "a{256}", "(", "a\\"} {
		_, err := postgresPattern(pattern)
		require.ErrorIs(t, err, state.ErrInvalid, pattern)
	}
}

func TestAlternatives(t *testing.T) {
	for pattern, want := range map[string][]string{
		"a": {"a"}, "a|b": {"a", "b"}, "(a|b)c": {"ac", "bc"}, "host-[1-3]": {"host-1", "host-2", "host-3"}, "": {""}, "ab?": {"a", "ab"}, "a|": {"", "a"}, `a\.b`: {"a.b"},
		"(?i)a": nil, ".": nil, "a*": nil, "[a-z][a-z]": nil, "\\d{3}": nil, "(": nil, "[^a]": nil, "^a": nil,
	} {
		got, few := alternatives(pattern)
		assert.Equal(t, want != nil, few, pattern)
		assert.Equal(t, want, got, pattern)
	}
}

// FuzzAlternatives checks that every text that is written out matches.
func FuzzAlternatives(f *testing.F) {
	f.Add("a|b[c-e]")
	f.Fuzz(func(t *testing.T, pattern string) {
		texts, few := alternatives(pattern)
		if re, err := regexp.Compile(anchored(pattern)); err == nil && few {
			for _, text := range texts {
				assert.True(t, re.MatchString(text), text)
			}
		}
	})
}

func FuzzPostgresPattern(f *testing.F) {
	f.Add("a|b*[^c]")
	f.Fuzz(func(t *testing.T, pattern string) {
		translated, err := postgresPattern(pattern)
		if err == nil {
			assert.True(t, utf8.ValidString(translated))
		}
	})
}
