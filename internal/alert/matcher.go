package alert

import (
	"fmt"
	"regexp"
)

// MatchOp is how a label is compared.
type MatchOp string

// The four of PromQL. A label that an alert lacks is compared as an empty one.
const (
	MatchEqual     MatchOp = "="
	MatchNotEqual  MatchOp = "!="
	MatchRegexp    MatchOp = "=~"
	MatchNotRegexp MatchOp = "!~"
)

// Matcher selects alerts by one label.
type Matcher struct {
	Name  string
	Op    MatchOp
	Value string
}

// Validate says what is wrong with the matcher. A regular expression is RE2's, and matches whole values.
func (m Matcher) Validate() error {
	if m.Name == "" {
		return fmt.Errorf("a matcher must name a label")
	}
	switch m.Op {
	case MatchEqual, MatchNotEqual:
		return nil
	case MatchRegexp, MatchNotRegexp:
		if _, err := regexp.Compile(m.Value); err != nil {
			return fmt.Errorf("the matcher of label %q must have a regular expression: %w", m.Name, err)
		}
		return nil
	default:
		return fmt.Errorf("the matcher of label %q must be one of =, !=, =~, !~, is %q", m.Name, m.Op)
	}
}
