package lokiexporter

import (
	"regexp"
	"strconv"
	"strings"
)

// Reasons why Loki refuses lines.
const (
	tooOld             = "too_old"
	tooNew             = "too_new"
	tooFarBehind       = "too_far_behind"
	outOfOrder         = "out_of_order"
	lineTooLong        = "line_too_long"
	structuredMetadata = "structured_metadata"
	labelsRefused      = "labels"
	blocked            = "blocked"
	tooLarge           = "too_large"
	denied             = "denied"
	otherReason        = "other"
)

// A 400 of Loki's distributor tells of the lines and streams that it refused: those of one text as "N errors like: text",
// joined by "; ". One of the ingester tells of one stream. All other lines of the push are stored by then. Texts are
// those of Loki 3.7 (pkg/validation/validate.go, pkg/ingester/stream.go).
var (
	distributorError = regexp.MustCompile(`(?:^|; )(?:(\d+) errors like: )?(entry for stream '|max entry size '|stream '|missing required labels '|error at least one label pair|error parsing labels ')`)
	ingesterError    = regexp.MustCompile(`^entry with timestamp .* ignored, reason: '(entry too far behind|entry out of order)`)
	ingesterTotal    = regexp.MustCompile(`total ignored: (\d+) out of \d+ for stream: `)
)

// partlyRefused reads a 400. Where ok, Loki has stored all lines of the parcel but those that refused counts, so that
// nothing is to be sent again.
func partlyRefused(text string, p *parcel) (refused map[string]int, ok bool) {
	if total := p.size(); ingesterError.MatchString(text) {
		return map[string]int{ingesterReason(text): min(ingesterCount(text), total)}, true
	}
	starts := distributorError.FindAllStringSubmatchIndex(text, -1)
	if len(starts) == 0 || starts[0][0] != 0 {
		return nil, false
	}
	refused = map[string]int{}
	left := p.size()
	for i, at := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		message, n := text[at[4]:end], 1
		if at[2] >= 0 {
			n, _ = strconv.Atoi(text[at[2]:at[3]])
		}
		reason, ofStream := distributorReason(message)
		if ofStream {
			n *= linesOf(message, p)
		}
		n = min(n, left)
		left -= n
		refused[reason] += n
	}
	return refused, true
}

// distributorReason also tells whether all lines of a stream are refused.
func distributorReason(message string) (reason string, ofStream bool) {
	for _, known := range []struct {
		text, reason string
		ofStream     bool
	}{
		{"has timestamp too old: ", tooOld, false},
		{"has timestamp too new: ", tooNew, false},
		{"' bytes exceeded for stream '", lineTooLong, false},
		{"' has structured metadata too large: ", structuredMetadata, false},
		{"' has too many structured metadata labels: ", structuredMetadata, false},
		{"' includes structured metadata, but this feature is disallowed", structuredMetadata, false},
		{" label names; limit ", labelsRefused, true},
		{"' has label name too long: ", labelsRefused, true},
		{"' has label value too long: ", labelsRefused, true},
		{"' has duplicate label name: ", labelsRefused, true},
		{"missing required labels '", labelsRefused, true},
		{"error at least one label pair", labelsRefused, true},
		{"error parsing labels '", labelsRefused, true},
	} {
		if strings.Contains(message, known.text) {
			return known.reason, known.ofStream
		}
	}
	return otherReason, false
}

// linesOf gives the number of lines of the stream that the message names; 1 where it names none of ours: Loki may have
// added a label.
func linesOf(message string, p *parcel) int {
	for i := range p.streams {
		if s := &p.streams[i]; strings.Contains(message, strings.TrimSuffix(s.labels, "}")) {
			return len(s.lines)
		}
	}
	return 1
}

func ingesterReason(text string) string {
	if match := ingesterError.FindStringSubmatch(text); len(match) > 1 && match[1] == "entry out of order" {
		return outOfOrder
	}
	return tooFarBehind
}

func ingesterCount(text string) int {
	matches := ingesterTotal.FindAllStringSubmatch(text, -1)
	if len(matches) == 0 {
		return 1
	}
	n, err := strconv.Atoi(matches[len(matches)-1][1])
	if err != nil {
		return 1
	}
	return n
}
