package sqlstore

import (
	"regexp/syntax"
	"slices"
)

// maxAlternatives bounds the texts that a pattern is written out as.
const maxAlternatives = 50

// alternatives gives the texts that a pattern matches, where they are few: a|b, host-[1-3], such as dashboards make of
// a choice. Indexes serve equality, and no pattern.
func alternatives(pattern string) (texts []string, few bool) {
	parsed, err := syntax.Parse("(?s:"+pattern+")", syntax.Perl)
	if err != nil {
		return nil, false
	}
	texts = writeOut(parsed)
	slices.Sort(texts)
	return slices.Compact(texts), len(texts) > 0
}

// writeOut gives nothing where there are too many, or no end.
func writeOut(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpEmptyMatch:
		return []string{""}
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 {
			return []string{string(re.Rune)}
		}
	case syntax.OpCharClass:
		return writeOutClass(re.Rune)
	case syntax.OpCapture:
		return writeOut(re.Sub[0])
	case syntax.OpQuest:
		return either([]string{""}, writeOut(re.Sub[0]))
	case syntax.OpAlternate:
		texts := writeOut(re.Sub[0])
		for _, sub := range re.Sub[1:] {
			texts = either(texts, writeOut(sub))
		}
		return texts
	case syntax.OpConcat:
		texts := []string{""}
		for _, sub := range re.Sub {
			texts = both(texts, writeOut(sub))
		}
		return texts
	default:
	}
	return nil
}

func writeOutClass(ranges []rune) (texts []string) {
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if len(texts) == maxAlternatives {
				return nil
			}
			texts = append(texts, string(r))
		}
	}
	return texts
}

func either(a, b []string) []string {
	if len(a) == 0 || len(b) == 0 || len(a)+len(b) > maxAlternatives {
		return nil
	}
	return slices.Concat(a, b)
}

func both(a, b []string) (texts []string) {
	if len(a)*len(b) > maxAlternatives {
		return nil
	}
	for _, x := range a {
		for _, y := range b {
			texts = append(texts, x+y)
		}
	}
	return texts
}
