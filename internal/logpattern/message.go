package logpattern

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxJSON is how long a line in JSON may be to be read as such.
const maxJSON = 64 << 10

// The keys under which loggers write messages and errors, the most usual ones first.
var (
	messageKeys = []string{"msg", "message", "body", "event", "log", "@message"}
	errorKeys   = []string{"error", "err", "exception", "exception.message", "cause", "reason"}
)

// message gives the part of a log line that says what happened, as one line.
func message(line string) string {
	line = strings.ToValidUTF8(line, string(utf8.RuneError))
	if told := fromJSON(line); told != "" {
		line = told
	}
	return short(oneLine(tellingLine(line)))
}

// fromJSON gives message and error of an object; empty for anything else.
func fromJSON(line string) string {
	var object map[string]any
	if !strings.HasPrefix(line, "{") || len(line) > maxJSON || json.Unmarshal([]byte(line), &object) != nil {
		return ""
	}
	told, failure := firstText(object, messageKeys), firstText(object, errorKeys)
	switch {
	case told == "":
		return failure
	case failure == "" || strings.Contains(told, failure):
		return told
	default:
		return told + ": " + failure
	}
}

func firstText(object map[string]any, keys []string) string {
	for _, key := range keys {
		if text, is := object[key].(string); is && strings.TrimSpace(text) != "" {
			return text
		}
	}
	return ""
}

// tellingLine gives the first line that is not empty. Python tells what happened at the end of a stack trace.
func tellingLine(text string) string {
	lines := slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return strings.TrimSpace(line) == "" })
	switch {
	case len(lines) == 0:
		return ""
	case strings.HasPrefix(lines[0], "Traceback (most recent call last)"):
		return lines[len(lines)-1]
	default:
		return lines[0]
	}
}

// oneLine has single spaces, and no control characters.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
}

// short cuts a text to maxText bytes, between two characters.
func short(text string) string {
	if len(text) <= maxText {
		return text
	}
	end := maxText
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
