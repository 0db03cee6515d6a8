package sqlstore

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/alert"
)

// maxKeys bounds what one search of an index looks for. More labels than these have so many alerts that a page is
// found soon.
const maxKeys = 5000

// labelFilter is a matcher whose pattern, if it is one, is written out: a label, or the empty text where it is missing,
// is one of texts, or none of them.
type labelFilter struct {
	name     string
	texts    []string
	negative bool
}

// resolve makes matchers filters, without those that every alert passes. It is impossible for an alert to pass where
// one of them is.
func resolve(ctx context.Context, db bun.IDB, matchers []alert.Matcher) (filters []labelFilter, possible bool, err error) {
	for _, m := range matchers {
		f := labelFilter{name: m.Name, texts: []string{m.Value}, negative: m.Op == alert.MatchNotEqual || m.Op == alert.MatchNotRegexp}
		all := false
		if m.Op == alert.MatchRegexp || m.Op == alert.MatchNotRegexp {
			if f.texts, all, err = matching(ctx, db, m.Name, m.Value); err != nil {
				return nil, false, err
			}
		}
		switch none := len(f.texts) == 0; {
		case none && !f.negative, all && f.negative:
			return nil, false, nil
		case !none && !all:
			filters = append(filters, f)
		}
	}
	return filters, true, nil
}

// matching gives the values of a label that match a pattern of RE2, the empty one for a missing label, and whether
// these are all. Patterns are matched here, as Prometheus does, since those of PostgreSQL mean something else.
func matching(ctx context.Context, db bun.IDB, name, pattern string) (texts []string, all bool, err error) {
	begin, err := regexp.Compile("(?s:" + pattern + ")")
	if err != nil {
		return nil, false, err
	}
	whole, err := regexp.Compile(anchored(pattern))
	if err != nil {
		return nil, false, err
	}
	var stored []string
	prefix, _ := begin.LiteralPrefix()
	q := selectLabels(db, name).Column("l.value")
	if prefix != "" {
		q.Where("starts_with(l.value, ?)", prefix)
	}
	if err := q.Scan(ctx, &stored); err != nil {
		return nil, false, err
	}
	stored = append(stored, "")
	texts = slices.DeleteFunc(slices.Clone(stored), func(value string) bool { return !whole.MatchString(value) })
	return texts, prefix == "" && len(texts) == len(stored), nil
}

func selectLabels(db bun.IDB, name string) *bun.SelectQuery {
	return db.NewSelect().TableExpr("alert_labels AS l").Where("left(l.name, 100) = left(?, 100)", name).Where("l.name = ?", name)
}

// wherePicked adds matchers to a query over alerts AS a that reads all of them anyway.
func (postgresFlavour) wherePicked(ctx context.Context, db bun.IDB, q *bun.SelectQuery, matchers []alert.Matcher) error {
	filters, possible, err := resolve(ctx, db, matchers)
	if err == nil && !possible {
		q.Where("FALSE")
	}
	whereLabels(q, filters)
	return err
}

// whereLabels adds filters to a query over alerts AS a.
func whereLabels(q *bun.SelectQuery, filters []labelFilter) {
	for _, f := range filters {
		operator := "= ANY"
		if f.negative {
			operator = "<> ALL"
		}
		q.Where("COALESCE(a.labels ->> ?, '') "+operator+" (?::text[])", f.name, list(f.texts))
	}
}

// keys gives those of which an alert that passes has one: those of labels, and those of sets of names without this one.
func (f *labelFilter) keys(ctx context.Context, tx bun.Tx) (keys []int64, err error) {
	var q *bun.SelectQuery
	if f.negative {
		q = selectLabels(tx, f.name).Column("l.key").Where("l.value <> ALL (?::text[])", list(f.texts))
	} else {
		q = tx.NewSelect().TableExpr("unnest(?::text[]) AS t", list(f.texts)).ColumnExpr("alert_label_key(?, t)", f.name).Where("t <> ''")
	}
	if slices.Contains(f.texts, "") != f.negative {
		q = q.UnionAll(tx.NewSelect().TableExpr("alert_label_names AS n").Column("n.key").Where("? <> ALL (n.names)", f.name))
	}
	err = q.Scan(ctx, &keys)
	return keys, err
}

// numbers writes an array of PostgreSQL.
func numbers(n []int64) string {
	texts := make([]string, len(n))
	for i := range n {
		texts[i] = strconv.FormatInt(n[i], 10)
	}
	return "{" + strings.Join(texts, ",") + "}"
}
