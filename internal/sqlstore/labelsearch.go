package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/uptrace/bun"
)

// nearAlerts is how many alerts at the beginning of a list are looked at one by one.
const nearAlerts = 5000

// narrowShare is the part of these that is looked at where the alerts of the list lie far apart.
const narrowShare = 10

// denseAlerts is from how many alerts on the index of keys is not worth reading: a page of so many is found sooner by going
// through the list on.
const denseAlerts = 50000

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
		bounded, err := search.untilSeen(ctx, tx, filters)
		if err != nil {
			return err
		}
		rows, err = f.searchFiltered(ctx, tx, bounded, filters)
		return err
	})
	return rows, err
}

// maxDated bounds the values of one label whose days are looked up. Of more values one was most likely seen lately.
const maxDated = 100

// untilSeen gives a search that begins where the labels were seen last, which may be months ago.
func (a *alertSearch) untilSeen(ctx context.Context, tx bun.Tx, filters []labelFilter) (*alertSearch, error) {
	var until instant
	for _, f := range filters {
		if f.negative || len(f.texts) > maxDated || slices.Contains(f.texts, "") {
			continue
		}
		var seen instant
		err := tx.NewSelect().TableExpr("alert_labels AS l").ColumnExpr("(MAX(l.seen_on) + 1)::TIMESTAMP AT TIME ZONE 'UTC'").
			Where("l.key IN (SELECT alert_label_key(?, t) FROM unnest(?::text[]) AS t)", f.name, list(f.texts)).Scan(ctx, &seen)
		if err != nil {
			return nil, err
		}
		if !seen.IsZero() && (until.IsZero() || seen.Before(until.Time)) {
			until = seen
		}
	}
	if until.IsZero() {
		return a, nil
	}
	bounded, where := *a, a.where
	bounded.where = func(q *bun.SelectQuery) {
		where(q)
		q.Where("a.starts_at < ?", until)
	}
	return &bounded, nil
}

func (f postgresFlavour) searchFiltered(ctx context.Context, tx bun.Tx, search *alertSearch, filters []labelFilter) ([]alertRow, error) {
	if len(filters) == 0 {
		return search.read(ctx, tx, func(*bun.SelectQuery) {})
	}
	first, found, err := f.edge(ctx, tx, search)
	if err != nil {
		return nil, err
	}
	rows, err := search.read(ctx, tx, func(q *bun.SelectQuery) {
		whereLabels(q, filters)
		if found {
			q.Where("(a.starts_at, a.id) > (?, ?)", first.at, first.id)
		}
	})
	if err != nil || !found || len(rows) > search.page.size {
		return rows, err
	}
	behind, err := f.searchBehind(ctx, tx, search, first, filters)
	return append(rows, behind[:min(len(behind), search.page.size+1-len(rows))]...), err
}

// edge is the first alert of a list that is not near.
type edge struct {
	at instant
	id string
}

// edge finds it, if there is one, in an index alone.
func (f postgresFlavour) edge(ctx context.Context, tx bun.Tx, search *alertSearch) (e edge, found bool, err error) {
	q := tx.NewSelect().Model((*alertRow)(nil)).Column("a.starts_at", "a.id")
	search.where(q)
	search.page.behindCursor(q, "a.starts_at", "a.id")
	near := f.near
	if search.narrow {
		near /= narrowShare
	}
	err = q.OrderExpr("a.starts_at DESC, a.id DESC").Offset(int64(near)).Limit(1).Scan(ctx, &e.at, &e.id)
	if errors.Is(err, sql.ErrNoRows) {
		return e, false, nil
	}
	return e, err == nil, err
}

// searchBehind gives the page from an edge on, by the keys of labels, unless very many alerts have them.
func (f postgresFlavour) searchBehind(ctx context.Context, tx bun.Tx, search *alertSearch, from edge, filters []labelFilter) (rows []alertRow, err error) {
	where := func(q *bun.SelectQuery) {
		search.where(q)
		search.page.behindCursor(q, "a.starts_at", "a.id")
		q.Where("(a.starts_at, a.id) <= (?, ?)", from.at, from.id)
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
		estimate, err := estimatedRows(ctx, tx, keyed)
		if err != nil {
			return nil, err
		}
		indexed = estimate < f.dense
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

// estimatedRows is how many rows the planner expects, by the statistics that it has of each key.
func estimatedRows(ctx context.Context, tx bun.Tx, q *bun.SelectQuery) (int, error) {
	var text string
	if err := tx.NewRaw("EXPLAIN (FORMAT JSON) ?", q).Scan(ctx, &text); err != nil {
		return 0, err
	}
	var plans []struct {
		Plan struct {
			Rows int `json:"Plan Rows"`
		}
	}
	if err := json.Unmarshal([]byte(text), &plans); err != nil || len(plans) != 1 {
		return 0, fmt.Errorf("PostgreSQL explains %d plans: %w", len(plans), err)
	}
	return plans[0].Plan.Rows, nil
}
