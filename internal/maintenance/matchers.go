package maintenance

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/alertmanager/matcher/parse"
	"github.com/prometheus/alertmanager/pkg/labels"
)

// Bounds of a window's matchers.
const (
	maxMatchers      = 32
	maxMatcherLength = 4096
)

// selector selects alerts that match all of it.
type selector []*labels.Matcher

// parseSelector reads matchers in Alertmanager's syntax, such as service="db" or {env=~"prod|stage"}. Each text may
// have several, with commas.
func parseSelector(texts []string) (selector, error) {
	var s selector
	for _, text := range texts {
		if len(text) > maxMatcherLength {
			return nil, fmt.Errorf("must have at most %d characters each, one has %d", maxMatcherLength, len(text))
		}
		if !storable(text) {
			return nil, fmt.Errorf("must be UTF-8 without NUL, has %q", text)
		}
		matchers, err := parse.Matchers(text)
		if err != nil {
			return nil, fmt.Errorf("must be matchers such as service=\"db\" or env=~\"prod|stage\", has %q: %w", text, err)
		}
		s = append(s, matchers...)
	}
	switch {
	case len(s) > maxMatchers:
		return nil, fmt.Errorf("must be at most %d, are %d", maxMatchers, len(s))
	case s.matches(nil):
		return nil, errors.New("must have one that an empty value does not match, such as alertname=~\".+\" for all alerts")
	}
	return s, nil
}

// storable says whether every database takes a text.
func storable(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }

// matches says whether all matchers take the labels. A label that is missing is an empty one.
func (s selector) matches(set map[string]string) bool {
	for _, m := range s {
		if !m.Matches(set[m.Name]) {
			return false
		}
	}
	return true
}

// texts writes one matcher each.
func (s selector) texts() []string {
	texts := make([]string, len(s))
	for i, m := range s {
		texts[i] = m.String()
	}
	return texts
}
