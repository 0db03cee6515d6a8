package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/uptrace/bun"
)

// nearAlerts is how many alerts at the beginning of a list are looked at one by one.
const nearAlerts = 5000

// narrowShare is the part of these that is looked at where the alerts of the list lie far apart.
const narrowShare = 10

// searchAlerts looks at the first alerts of the list one by one, where most searches find their page. What lies behind
// is found by the keys of labels. The planner could take either way at once, but it would gamble: it believes that the
// alerts of a label are spread over the list evenly, and looks through a million for those of a cluster that is gone.
func (f postgresFlavour) searchAlerts(ctx context.Context, db bun.IDB, search *alertSearch) (rows []alertRow, err error) {
	// One snapshot, so that every label of an alert that it has is among those that it has read.
	snapshot := &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	err = db.RunInTx(ctx, snapshot, func(ctx context.Context, tx bun.Tx) error {
		filters, possible, err := resolve(ctx, tx, search.matchers)
		if err != nil || !possible {
			return err
		}
		rows, err = f.searchFiltered(ctx, tx, search, filters)
		return err
	})
	return rows, err
}

func (f postgresFlavour) searchFiltered(ctx context.Context, tx bun.Tx, search *alertSearch, filters []labelFilter) ([]alertRow, error) {
	if len(filters) == 0 {
		return search.read(ctx, tx, func(*bun.SelectQuery) {})
	}
	edge, found, err := f.edge(ctx, tx, search)
	if err != nil {
		return nil, err
	}
	rows, err := search.read(ctx, tx, func(q *bun.SelectQuery) {
		whereLabels(q, filters)
		if found {
			q.Where("a.starts_at > ?", edge)
		}
	})
	if err != nil || !found || len(rows) > search.page.size {
		return rows, err
	}
	behind, err := searchBehind(ctx, tx, search, edge, filters)
	return append(rows, behind[:min(len(behind), search.page.size+1-len(rows))]...), err
}

// edge gives the time of the first alert that is not near, if there is one. Those of that time are not, either: an
// index has the time alone.
func (f postgresFlavour) edge(ctx context.Context, tx bun.Tx, search *alertSearch) (at instant, found bool, err error) {
	q := tx.NewSelect().Model((*alertRow)(nil)).Column("a.starts_at")
	search.where(q)
	search.page.behindCursor(q, "a.starts_at", "a.id")
	near := f.near
	if search.narrow {
		near /= narrowShare
	}
	err = q.OrderExpr("a.starts_at DESC").Offset(int64(near)).Limit(1).Scan(ctx, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return at, false, nil
	}
	return at, err == nil, err
}

// searchBehind gives the page from an edge on, by the keys of labels.
func searchBehind(ctx context.Context, tx bun.Tx, search *alertSearch, edge instant, filters []labelFilter) (rows []alertRow, err error) {
	where := func(q *bun.SelectQuery) {
		search.where(q)
		search.page.behindCursor(q, "a.starts_at", "a.id")
		q.Where("a.starts_at <= ?", edge)
	}
	keyed := tx.NewSelect().TableExpr("alerts AS a").ColumnExpr("a.*")
	where(keyed)
	q := tx.NewSelect().Model(&rows)
	indexed := false
	for i := range filters {
		keys, err := filters[i].keys(ctx, tx)
		switch {
		case err != nil || len(keys) == 0:
			return nil, err
		case len(keys) <= maxKeys:
			indexed = true
			keyed.Where("a.label_keys && ?::bigint[]", numbers(keys))
		}
	}
	if indexed {
		// The planner sees no limit in the inner query, and so nothing to gamble on. And it takes comparing an alert's keys
		// with thousands to be cheap.
		if _, err := tx.ExecContext(ctx, "SET LOCAL enable_seqscan = off"); err != nil {
			return nil, err
		}
		q.ModelTableExpr("(? OFFSET 0) AS a", keyed)
	} else {
		where(q)
	}
	whereLabels(q, filters) // two labels may share a key
	err = search.page.newestFirst(q, "a.starts_at", "a.id").Scan(ctx)
	return rows, err
}
