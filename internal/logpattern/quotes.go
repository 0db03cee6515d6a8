package logpattern

import (
	"regexp"
	"strings"
)

// telling is the end of a text behind which a quoted text is a message, as logfmt writes one, and no value.
var telling = regexp.MustCompile(`(?:^|[ {,])(?:msg|message|err|error|reason|cause|exception|event)[=:] ?$`)

// unquote puts holes in place of quoted texts. Those that hold a message stay, without the quotes.
func unquote(text string) string {
	var b strings.Builder
	for text != "" {
		start := strings.IndexAny(text, "\"'`")
		if start < 0 {
			break
		}
		end := closing(text, start)
		if end < 0 {
			b.WriteString(text[:start+1])
			text = text[start+1:]
			continue
		}
		b.WriteString(text[:start])
		if inner := text[start+1 : end]; telling.MatchString(b.String()) {
			b.WriteString(plain(inner))
		} else {
			b.WriteString(Hole)
		}
		text = text[end+1:]
	}
	return b.String() + text
}

// closing gives where the quote that opens at start ends; -1 where it opens nothing, such as an apostrophe.
func closing(text string, start int) int {
	quote := text[start]
	if quote == '\'' && start > 0 && !strings.ContainsRune(" =:([{,", rune(text[start-1])) {
		return -1
	}
	for i := start + 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote == '"':
			i++
		case text[i] == quote:
			return i
		}
	}
	return -1
}

// plain is the inside of a message: what is quoted in it differs, too.
func plain(inner string) string {
	inner = strings.ReplaceAll(inner, `\"`, `"`)
	return strings.NewReplacer(`"`, "", "'", "", "`", "").Replace(quoted.ReplaceAllLiteralString(inner, Hole))
}

var quoted = regexp.MustCompile(`"[^"]*"`)
