package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/state"
)

// maxMatchers bounds what one query may ask for.
const maxMatchers = 32

// alertSearch asks for a page of alerts, by their labels and by what where adds to a query over alerts AS a.
type alertSearch struct {
	matchers []alert.Matcher
	where    func(*bun.SelectQuery)
	page     page
	// narrow says that an index leads where to few alerts, which lie far apart.
	narrow bool
}

// ofService has an index lead to the alerts of a service, where matchers name one.
func (a *alertSearch) ofService() {
	for _, m := range a.matchers {
		if m.Name != "service" || m.Op != alert.MatchEqual || m.Value == "" {
			continue
		}
		where := a.where
		a.where = func(q *bun.SelectQuery) {
			where(q)
			q.Where("a.service_name = ?", short(m.Value)) // the label comes before all others that name a service
		}
		a.narrow = true
		return
	}
}

// cleanMatchers checks matchers, and makes them such as labels are stored.
func cleanMatchers(matchers []alert.Matcher) ([]alert.Matcher, error) {
	if len(matchers) > maxMatchers {
		return nil, fmt.Errorf("there must be at most %d matchers, are %d: that %w", maxMatchers, len(matchers), state.ErrInvalid)
	}
	clean := make([]alert.Matcher, len(matchers))
	for i, m := range matchers {
		if err := m.Validate(); err != nil {
			return nil, fmt.Errorf("%w: it %w", err, state.ErrInvalid)
		}
		clean[i] = alert.Matcher{Name: text(m.Name), Op: m.Op, Value: text(m.Value)}
	}
	return clean, nil
}

// read gives a page, with conditions of labels.
func (a *alertSearch) read(ctx context.Context, db bun.IDB, labels func(*bun.SelectQuery)) (rows []alertRow, err error) {
	q := db.NewSelect().Model(&rows)
	a.where(q)
	labels(q)
	err = a.page.newestFirst(q, "a.starts_at", "a.id").Scan(ctx)
	return rows, err
}

// JSON containment is what the index on labels serves.
func (postgresFlavour) labelEqual(name, value string) (condition string, args []any) {
	pair, err := json.Marshal(map[string]string{name: value})
	if err != nil { // two strings always marshal
		return "FALSE", nil
	}
	return "(a.labels @> ?::jsonb)", []any{string(pair)}
}

// Labels are searched one by one: a path of SQLite's JSON functions could not name every label.
func (sqliteFlavour) labelEqual(name, value string) (condition string, args []any) {
	return "EXISTS (SELECT 1 FROM json_each(a.labels) AS l WHERE l.key = ? AND l.value = ?)", []any{name, value}
}

// searchAlerts looks at alerts one by one. SQLite is not for so many that it mattered.
func (sqliteFlavour) searchAlerts(ctx context.Context, db bun.IDB, search *alertSearch) ([]alertRow, error) {
	return search.read(ctx, db, func(q *bun.SelectQuery) { whereMatch(q, search.matchers) })
}

func (sqliteFlavour) wherePicked(_ context.Context, _ bun.IDB, q *bun.SelectQuery, matchers []alert.Matcher) error {
	whereMatch(q, matchers)
	return nil
}

// whereMatch adds matchers, as SQLite has them, to a query over alerts AS a.
func whereMatch(q *bun.SelectQuery, matchers []alert.Matcher) {
	for _, m := range matchers {
		const value = "COALESCE((SELECT l.value FROM json_each(a.labels) AS l WHERE l.key = ?), '')"
		switch m.Op {
		case alert.MatchEqual:
			q.Where(value+" = ?", m.Name, m.Value)
		case alert.MatchNotEqual:
			q.Where(value+" <> ?", m.Name, m.Value)
		case alert.MatchRegexp:
			q.Where("matches(?, "+value+")", m.Value, m.Name)
		case alert.MatchNotRegexp:
			q.Where("NOT matches(?, "+value+")", m.Value, m.Name)
		}
	}
}
