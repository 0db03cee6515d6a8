package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/uptrace/bun"
	"modernc.org/sqlite"

	"github.com/quantivista/monitoring/internal/alert"
)

// analysis is what differs between the databases in queries that sum up.
type analysis interface {
	// seconds gives the time between two columns, and NULL where one is.
	seconds(from, to string) string
	// silenced gives a condition that a column of mutes has a silence.
	silenced(mutedBy string) string
	// nearestRank aggregates values: it gives the least that a fraction of all is no greater than, and NULL for none.
	nearestRank(value, fraction string) string
	// wherePicked adds matchers that are clean to a query over alerts AS a. Within analyse.
	wherePicked(context.Context, bun.IDB, *bun.SelectQuery, []alert.Matcher) error
	// analyse runs queries in one snapshot, also such over many rows.
	analyse(context.Context, bun.IDB, func(bun.IDB) error) error
}

func (postgresFlavour) seconds(from, to string) string {
	return "EXTRACT(EPOCH FROM " + to + " - " + from + ")::DOUBLE PRECISION"
}

func (postgresFlavour) silenced(mutedBy string) string {
	return "(" + mutedBy + ` @> '[{"kind": "` + string(alert.MutedBySilence) + `"}]')`
}

func (postgresFlavour) nearestRank(value, fraction string) string {
	return "percentile_disc(" + fraction + ") WITHIN GROUP (ORDER BY " + value + ")"
}

// To compile such a query would take longer than to run it, and it would spill to the disk what is small.
func (postgresFlavour) analyse(ctx context.Context, db bun.IDB, query func(bun.IDB) error) error {
	snapshot := &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	return db.RunInTx(ctx, snapshot, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.ExecContext(ctx, "SET LOCAL jit = off; SET LOCAL work_mem = '32MB'"); err != nil {
			return err
		}
		return query(tx)
	})
}

func (sqliteFlavour) seconds(from, to string) string {
	return "((julianday(" + to + ") - julianday(" + from + ")) * 86400.0)"
}

func (sqliteFlavour) silenced(mutedBy string) string {
	return "EXISTS (SELECT 1 FROM json_each(" + mutedBy + ") AS r WHERE r.value ->> 'kind' = '" + string(alert.MutedBySilence) + "')"
}

func (sqliteFlavour) nearestRank(value, fraction string) string {
	return "nearest_rank(" + value + ", " + fraction + ")"
}

func (sqliteFlavour) analyse(ctx context.Context, db bun.IDB, query func(bun.IDB) error) error {
	return db.RunInTx(ctx, &sql.TxOptions{ReadOnly: true}, func(_ context.Context, tx bun.Tx) error { return query(tx) })
}

// registerNearestRank gives SQLite the aggregate that PostgreSQL has.
func registerNearestRank(drv *sqlite.Driver) error {
	return drv.RegisterFunction("nearest_rank", &sqlite.FunctionImpl{
		NArgs: 2, Deterministic: true,
		MakeAggregate: func(sqlite.FunctionContext) (sqlite.AggregateFunction, error) { return &nearestRank{}, nil },
	})
}

// nearestRank holds the values of one group.
type nearestRank struct {
	values   []float64
	fraction float64
}

var _ sqlite.AggregateFunction = (*nearestRank)(nil)

// Step takes a value in, and leaves NULL out.
func (n *nearestRank) Step(_ *sqlite.FunctionContext, args []driver.Value) (err error) {
	if args[0] == nil {
		return nil
	}
	value, err := toFloat(args[0])
	if err != nil {
		return err
	}
	n.values = append(n.values, value)
	n.fraction, err = toFloat(args[1])
	return err
}

// WindowInverse is not needed: the function is in no window.
func (*nearestRank) WindowInverse(*sqlite.FunctionContext, []driver.Value) error {
	return fmt.Errorf("nearest_rank runs over no window: %w", errors.ErrUnsupported)
}

// WindowValue gives the result.
func (n *nearestRank) WindowValue(*sqlite.FunctionContext) (driver.Value, error) {
	if len(n.values) == 0 {
		return nil, nil
	}
	slices.Sort(n.values)
	rank := int(math.Ceil(n.fraction * float64(len(n.values))))
	return n.values[max(rank, 1)-1], nil
}

// Final has nothing to give back.
func (*nearestRank) Final(*sqlite.FunctionContext) {}

func toFloat(v driver.Value) (float64, error) {
	switch n := v.(type) {
	case float64:
		return n, nil
	case int64:
		return float64(n), nil
	default:
		return 0, fmt.Errorf("nearest_rank takes numbers, not a %T", v)
	}
}
