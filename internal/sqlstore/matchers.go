package sqlstore

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/state"
)

// maxMatchers bounds what one query may ask for.
const maxMatchers = 32

// whereLabels adds matchers to a query over alerts AS a.
func (s *Store) whereLabels(q *bun.SelectQuery, matchers []alert.Matcher) error {
	if len(matchers) > maxMatchers {
		return fmt.Errorf("there must be at most %d matchers, are %d: that %w", maxMatchers, len(matchers), state.ErrInvalid)
	}
	for _, m := range matchers {
		if err := m.Validate(); err != nil {
			return fmt.Errorf("%w: it %w", err, state.ErrInvalid)
		}
		condition, args, err := s.matcher(m)
		if err != nil {
			return err
		}
		if m.Op == alert.MatchNotEqual || m.Op == alert.MatchNotRegexp {
			condition = "NOT " + condition
		}
		q.Where(condition, args...)
	}
	return nil
}

// matcher gives the condition of the operator without its negation.
func (s *Store) matcher(m alert.Matcher) (condition string, args []any, err error) {
	name, value := text(m.Name), text(m.Value)
	switch {
	case m.Op == alert.MatchRegexp, m.Op == alert.MatchNotRegexp:
		if texts, few := alternatives(value); few && !slices.Contains(texts, "") {
			condition, args = s.labelIn(name, texts)
			return condition, args, nil
		}
		return s.flavour.labelMatches(name, value)
	case value != "":
		condition, args = s.flavour.labelEqual(name, value)
		return condition, args, nil
	default: // a missing label is an empty one
		return s.flavour.labelMatches(name, "")
	}
}

// labelIn gives the condition that a label has one of several values.
func (s *Store) labelIn(name string, values []string) (condition string, args []any) {
	conditions := make([]string, len(values))
	for i, value := range values {
		var arg []any
		conditions[i], arg = s.flavour.labelEqual(name, value)
		args = append(args, arg...)
	}
	return "(" + strings.Join(conditions, " OR ") + ")", args
}

// JSON containment is what the GIN index on labels serves.
func (postgresFlavour) labelEqual(name, value string) (condition string, args []any) {
	pair, err := json.Marshal(map[string]string{name: value})
	if err != nil { // two strings always marshal
		return "FALSE", nil
	}
	return "(a.labels @> ?::jsonb)", []any{string(pair)}
}

func (postgresFlavour) labelMatches(name, pattern string) (condition string, args []any, err error) {
	translated, err := postgresPattern(pattern)
	if err != nil {
		return "", nil, err
	}
	// Within CASE, the planner takes a pattern to match every other row, and not next to none: it walks the index that
	// the page is sorted by rather than the whole table.
	return "(CASE WHEN COALESCE(a.labels ->> ?, '') ~ ? THEN TRUE ELSE FALSE END)", []any{name, translated}, nil
}

// Labels are searched one by one: a path of SQLite's JSON functions could not name every label.
func (sqliteFlavour) labelEqual(name, value string) (condition string, args []any) {
	return "EXISTS (SELECT 1 FROM json_each(a.labels) AS l WHERE l.key = ? AND l.value = ?)", []any{name, value}
}

func (sqliteFlavour) labelMatches(name, pattern string) (condition string, args []any, err error) {
	return "matches(?, COALESCE((SELECT l.value FROM json_each(a.labels) AS l WHERE l.key = ?), ''))", []any{pattern, name}, nil
}
