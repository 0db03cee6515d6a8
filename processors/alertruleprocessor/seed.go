package alertruleprocessor

import (
	"context"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/quantivista/monitoring/internal/alert"
)

// Series that Prometheus' rules write of their alerts.
const (
	alertsSeries   = "ALERTS"
	forStateSeries = "ALERTS_FOR_STATE"
	stateLabel     = "alertstate"
)

// seed fills the ledger with the alerts of these names that fired when the last process ended, at most an outage
// tolerance before this one began.
func seed(ctx context.Context, l *ledger, store storage.Queryable, c *converter, names map[string]bool, from, to time.Time) error {
	q, err := store.Querier(from.UnixMilli(), to.UnixMilli())
	if err != nil {
		return err
	}
	defer q.Close()
	since := map[uint64]float64{} // in Unix seconds
	if err := eachLast(ctx, q, func(ls labels.Labels, _ int64, v float64) { since[ls.Hash()] = v }, forStateSeries); err != nil {
		return err
	}
	return eachLast(ctx, q, func(ls labels.Labels, at int64, _ float64) {
		if !names[ls.Get(labels.AlertName)] {
			return // another's: a Prometheus may write its alerts to our store
		}
		a := c.identity(ls)
		a.Status = alert.Firing
		a.StartsAt = time.UnixMilli(at).UTC()
		a.UpdatedAt = a.StartsAt
		if s, known := since[ls.Hash()]; known {
			a.StartsAt = time.Unix(int64(s), 0).UTC()
		}
		l.seed(ls, a)
	}, alertsSeries, labels.MustNewMatcher(labels.MatchEqual, stateLabel, "firing"))
}

// eachLast calls with the last sample of each series that had not ended, and with its labels but for name and state.
func eachLast(ctx context.Context, q storage.Querier, call func(labels.Labels, int64, float64), name string, matchers ...*labels.Matcher) error {
	matchers = append(matchers, labels.MustNewMatcher(labels.MatchEqual, model.MetricNameLabel, name))
	set := q.Select(ctx, false, nil, matchers...)
	var it chunkenc.Iterator
	for set.Next() {
		series := set.At()
		it = series.Iterator(it)
		at, last := int64(0), 0.0
		for it.Next() == chunkenc.ValFloat {
			at, last = it.At()
		}
		if it.Err() != nil {
			return it.Err()
		}
		if at != 0 && !value.IsStaleNaN(last) {
			call(labels.NewBuilder(series.Labels()).Del(model.MetricNameLabel, stateLabel).Labels(), at, last)
		}
	}
	return set.Err()
}
