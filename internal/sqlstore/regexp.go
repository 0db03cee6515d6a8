package sqlstore

import (
	"fmt"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode"

	"github.com/quantivista/monitoring/internal/state"
)

// maxRepeat is the most that PostgreSQL counts to in a pattern.
const maxRepeat = 255

// postgresPattern writes a regular expression of RE2, which matches whole texts, as PostgreSQL writes it. It goes by
// the parsed form, so that the two mean the same: Perl's classes, Unicode's and case folding become sets of
// characters. What PostgreSQL has no equal for answers state.ErrInvalid.
func postgresPattern(pattern string) (string, error) {
	parsed, err := syntax.Parse("(?s:"+pattern+")", syntax.Perl)
	if err != nil {
		return "", fmt.Errorf("the regular expression %q does not parse: %w: it %w", pattern, err, state.ErrInvalid)
	}
	var w patternWriter
	w.WriteString("^(?:")
	w.write(parsed)
	w.WriteString(")$")
	if w.unsupported != "" {
		return "", fmt.Errorf("the regular expression %q has %s, which cannot be searched for in the database: it %w", pattern, w.unsupported, state.ErrInvalid)
	}
	return w.String(), nil
}

type patternWriter struct {
	strings.Builder
	unsupported string
}

func (w *patternWriter) write(re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpNoMatch:
		w.WriteString("(?!)") // a look-ahead for nothing always fails
	case syntax.OpEmptyMatch:
		w.WriteString("(?:)")
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			w.literal(r, re.Flags&syntax.FoldCase != 0)
		}
	case syntax.OpCharClass:
		w.class(re.Rune)
	case syntax.OpAnyChar:
		w.WriteByte('.')
	case syntax.OpAnyCharNotNL:
		w.WriteString(`[^\n]`)
	case syntax.OpBeginText:
		w.WriteString(`\A`)
	case syntax.OpEndText:
		w.WriteString(`\Z`)
	case syntax.OpCapture:
		w.group(re.Sub[0], "")
	case syntax.OpStar:
		w.group(re.Sub[0], "*")
	case syntax.OpPlus:
		w.group(re.Sub[0], "+")
	case syntax.OpQuest:
		w.group(re.Sub[0], "?")
	case syntax.OpRepeat:
		w.repeat(re)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			w.group(sub, "")
		}
	case syntax.OpAlternate:
		for i, sub := range re.Sub {
			if i > 0 {
				w.WriteByte('|')
			}
			w.group(sub, "")
		}
	default:
		w.unsupported = "a boundary of lines or words"
	}
}

// group writes a part so that what stands around it does not change it.
func (w *patternWriter) group(re *syntax.Regexp, quantifier string) {
	w.WriteString("(?:")
	w.write(re)
	w.WriteString(")" + quantifier)
}

func (w *patternWriter) repeat(re *syntax.Regexp) {
	if re.Min > maxRepeat || re.Max > maxRepeat {
		w.unsupported = "more than " + strconv.Itoa(maxRepeat) + " repetitions"
		return
	}
	upper := ""
	if re.Max >= 0 {
		upper = strconv.Itoa(re.Max)
	}
	w.group(re.Sub[0], fmt.Sprintf("{%d,%s}", re.Min, upper))
}

func (w *patternWriter) literal(r rune, fold bool) {
	if !fold {
		w.char(r)
		return
	}
	w.WriteByte('[')
	w.char(r)
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		w.char(f)
	}
	w.WriteByte(']')
}

// class writes pairs of the first and last rune of ranges. NUL is in no text of PostgreSQL, nor are surrogates.
func (w *patternWriter) class(ranges []rune) {
	var b patternWriter
	for i := 0; i+1 < len(ranges); i += 2 {
		if last := ranges[i+1]; last > 0 {
			b.char(max(1, ranges[i]))
			b.WriteByte('-')
			b.char(last)
		}
	}
	if b.Len() == 0 {
		w.WriteString("(?!)")
		return
	}
	w.WriteString("[" + b.String() + "]")
}

// char writes one rune, by its number where it could mean something.
func (w *patternWriter) char(r rune) {
	if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
		w.WriteRune(r)
		return
	}
	fmt.Fprintf(w, `\U%08X`, r)
}
