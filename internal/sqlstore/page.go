package sqlstore

import (
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/state"
)

// page is a request for one page, read and checked.
type page struct {
	list  string
	size  int
	after *state.Cursor
}

func startPage(list string, p state.Page) (page, error) {
	size, err := p.Size()
	if err != nil || p.After == "" {
		return page{list: list, size: size}, err
	}
	cursor, err := state.ParseCursor(p.After, list)
	if err == nil {
		err = checkCursor(cursor)
	}
	return page{list: list, size: size, after: &cursor}, err
}

// checkCursor refuses an ID that the database would call a syntax error.
func checkCursor(c state.Cursor) error {
	if checkID("cursor", c.ID) != nil {
		return fmt.Errorf("cursor must be one that the list before it gave: it %w", state.ErrInvalid)
	}
	return nil
}

// newestFirst sorts by a time and an ID, both falling, and begins behind the cursor. One row more than the page has
// tells whether there is another page.
func (p page) newestFirst(q *bun.SelectQuery, timeColumn, idColumn bun.Safe) *bun.SelectQuery {
	p.behindCursor(q, timeColumn, idColumn)
	return q.OrderExpr("? DESC, ? DESC", timeColumn, idColumn).Limit(int64(p.size) + 1)
}

// behindCursor begins behind the cursor of a list that has the newest first.
func (p page) behindCursor(q *bun.SelectQuery, timeColumn, idColumn bun.Safe) {
	if p.after != nil {
		q.Where("(?, ?) < (?, ?)", timeColumn, idColumn, p.time(), p.after.ID)
	}
}

// time reads the cursor's key; one that is no time is before all.
func (p page) time() instant {
	var i instant
	if err := i.Scan(p.after.Key); err != nil || i.IsZero() {
		return at(time.Unix(0, 0))
	}
	return i
}

// byName sorts by a name and an ID, both rising.
func (p page) byName(q *bun.SelectQuery, nameColumn, idColumn bun.Safe) *bun.SelectQuery {
	if p.after != nil {
		q.Where("(?, ?) > (?, ?)", nameColumn, idColumn, text(p.after.Key), p.after.ID)
	}
	return q.OrderExpr("? ASC, ? ASC", nameColumn, idColumn).Limit(int64(p.size) + 1)
}

// cut takes the row away that is too many, and gives the cursor of the last one that is not.
func cut[R any](p page, rows []R, key func(*R) (instant, string)) (kept []R, next string) {
	return cutBy(p, rows, func(r *R) (string, string) {
		t, id := key(r)
		return t.UTC().Format(instantLayout), id
	})
}

func cutBy[R any](p page, rows []R, key func(*R) (string, string)) (kept []R, next string) {
	if len(rows) <= p.size {
		return rows, ""
	}
	rows = rows[:p.size]
	k, id := key(&rows[p.size-1])
	return rows, state.Cursor{List: p.list, Key: k, ID: id}.String()
}
