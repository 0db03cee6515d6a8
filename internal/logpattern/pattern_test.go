package logpattern

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPatterns(t *testing.T) {
	for line, want := range map[string]string{
		"payment of order 4711 failed after 3 attempts": "payment of order <_> failed after <_> attempts",
		"dial tcp 10.0.0.7:5432: connect: refused":      "dial tcp <_>: connect: refused",
		"peer [2001:db8::1]:443 went away":              "peer <_> went away",
		"request 0x1f took 12.5ms":                      "request <_> took <_>ms",
		"trace 4bf92f3577b34da6a3ce929d0e0e4736 lost":   "trace <_> lost",
		"order 550e8400-e29b-41d4-a716-446655440000":    "order <_>",
		"2026-11-24T12:00:00.123Z worker12 died":        "<_> worker<_> died",
		`user "ada" may not see 'books'`:                "user <_> may not see <_>",
		"can't open the user's file":                    "can't open the user's file",
		"ids 1, 2, 3 are gone":                          "ids <_> are gone",
		"GET /api/v1/orders/17 503":                     "GET /api/v<_>/orders/<_> <_>",
		"no hole here":                                  "no hole here",
		"":                                              "",
		"  \n\n later \n more":                          "later",
		"bad \xff byte":                                 "bad \uFFFD byte",
		`level=error msg="cannot pay order 5" err="card \"4711\" declined" took=3s`: "level=error msg=cannot pay order <_> err=card <_> declined took=<_>s",
		`{"level":"error","msg":"cannot pay order 5","error":"card declined"}`:      "cannot pay order <_>: card declined",
		`{"level":"error","error":"card 7 declined"}`:                               "card <_> declined",
		`{"level":"error","msg":"no: card declined","err":"card declined"}`:         "no: card declined",
		`{"n":1}`: "{<_>:<_>}",
		"panic: index out of range [5]\n\ngoroutine 1 [running]:\nmain.main()":                   "panic: index out of range [<_>]",
		"java.lang.IllegalStateException: no order 5\n\tat shop.Pay.run(Pay.java:17)":            "java.lang.IllegalStateException: no order <_>",
		"Traceback (most recent call last):\n  File \"a.py\", line 1\nValueError: bad order 5\n": "ValueError: bad order <_>",
	} {
		assert.Equal(t, want, Of(line), line)
	}
	long := Of(strings.Repeat("words ", 1000))
	assert.LessOrEqual(t, utf8.RuneCountInString(long), maxPattern)
	assert.True(t, strings.HasSuffix(long, "…"))
}

// Lines that one statement of a program writes have one pattern.
func TestWhatDiffersDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-z]{2,8}`), 1, 6).Draw(t, "words")
		kinds := rapid.SliceOfN(rapid.SampledFrom([]string{
			`[0-9]{1,9}`, `[0-9]{1,3}\.[0-9]{1,6}`, `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`, `0x[0-9a-f]{1,16}`,
			`[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}:[0-9]{1,5}`, `"[a-zA-Z0-9 ]*"`, `20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z`,
		}), len(words), len(words)).Draw(t, "kinds")
		line := func(which string) string {
			var b strings.Builder
			for i, word := range words {
				fmt.Fprintf(&b, "%s %s ", word, rapid.StringMatching(kinds[i]).Draw(t, which))
			}
			return b.String()
		}
		assert.Equal(t, Of(line("one")), Of(line("other")))
		assert.Equal(t, strings.Join(words, " <_> ")+" <_>", Of(line("third")))
	})
}

func FuzzOf(f *testing.F) {
	for _, seed := range []string{"", "a 1", `"`, `msg="a \"b\" c"`, "'a' \"b 'c'", "{\"msg\":\"x\"}", "<_>1<_>", "<_", "::1", "\xff\x00", "1,2,3", "err='5\"'", "Traceback (most recent call last)"} {
		f.Add(seed)
	}
	digit := regexp.MustCompile(`\d`)
	f.Fuzz(func(t *testing.T, line string) {
		pattern := Of(line)
		require.True(t, utf8.ValidString(pattern))
		require.NotContains(t, pattern, "\n")
		require.LessOrEqual(t, utf8.RuneCountInString(pattern), maxPattern)
		require.False(t, digit.MatchString(pattern), pattern)
		require.NotContains(t, pattern, Hole+Hole, "LogQL refuses that")
	})
}
