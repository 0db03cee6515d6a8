// Package logpattern finds what log lines have in common that differ in numbers, ids and the like, so that they can be
// counted together.
package logpattern

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Hole stands for what differs. It is that of LogQL's pattern filters: a pattern of a line that is plain text finds its
// lines by `|> "pattern"`.
const Hole = "<_>"

const (
	// maxText is how many bytes of a line count.
	maxText = 1024
	// maxPattern is how many characters a pattern has at most.
	maxPattern = 300
)

// Of gives the pattern of a log line: its message, with holes for numbers, hexadecimal ids, UUIDs, addresses, times and
// quoted texts. It is one line of valid UTF-8. Of a line in JSON the message and the error count, of a stack trace the line
// that says what happened.
func Of(line string) string {
	pattern := mask(message(line))
	if utf8.RuneCountInString(pattern) <= maxPattern {
		return pattern
	}
	return strings.TrimRight(string([]rune(pattern)[:maxPattern-1]), "<_") + "…" // no part of a hole
}

// variable finds what differs. Of two alternatives that begin at one place the first one counts.
var variable = regexp.MustCompile(strings.Join([]string{
	regexp.QuoteMeta(Hole),
	// Times: 2026-11-24T12:00:00.123Z, 2026/11/24 12:00:00,123
	`\d{4}[-/]\d{2}[-/]\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?(?:[.,]\d+)?(?: ?(?:Z|UTC|[+-]\d{2}:?\d{2}))?)?`,
	// UUIDs
	`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`,
	// IPv4 and IPv6 with ports, and times of the day
	`\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?`,
	`\[?(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{1,4}(?:\]:\d+)?`,
	`0[xX][0-9a-fA-F]+`,
	// Hashes, and ids of letters and digits: 4bf92f3577b34da6, a8Bx92kQ
	`(?:[0-9]+[a-zA-Z]+|[a-zA-Z]+[0-9]+){2,}[a-zA-Z]*[0-9]*`,
	// Numbers: 5, 1.5e-3, 1,024
	`[0-9]+(?:[.,][0-9]+)*(?:[eE][-+]?[0-9]+)?`,
}, "|"))

// several joins the holes of a list, which may be of any length.
var several = regexp.MustCompile(Hole + `(?:(?:[,;] ?)?` + Hole + `)+`)

// mask puts holes into a text.
func mask(text string) string {
	return several.ReplaceAllLiteralString(variable.ReplaceAllLiteralString(unquote(text), Hole), Hole)
}
