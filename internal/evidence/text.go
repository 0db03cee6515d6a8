package evidence

import (
	"strings"
	"unicode/utf8"
)

// clip cuts a text to maxText bytes of UTF-8, between two characters.
func clip(text string) string {
	text = strings.ToValidUTF8(text, string(utf8.RuneError))
	if len(text) <= maxText {
		return text
	}
	end := maxText - len("…")
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// clipAll cuts the values of labels.
func clipAll(labels map[string]string) map[string]string {
	clipped := make(map[string]string, len(labels))
	for name, value := range labels {
		clipped[clip(name)] = clip(value)
	}
	return clipped
}
