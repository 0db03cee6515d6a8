package alertruleprocessor

import (
	"context"
	"errors"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/quantivista/monitoring/internal/metricstore"
)

// ruleWrites has alerting rules do without the series of their alerts where the store only queries: they alert all the
// same, and lose but the state of "for" at a restart. A recording rule fails there.
type ruleWrites struct{ storage.Appendable }

// Appender gives one of the store.
func (w ruleWrites) Appender(ctx context.Context) storage.Appender {
	return &ruleAppender{Appender: w.Appendable.Appender(ctx)}
}

type ruleAppender struct {
	storage.Appender
	recorded bool // a recorded sample was refused
}

// Append takes no notice of a store that only queries where the series is one of an alert.
func (a *ruleAppender) Append(ref storage.SeriesRef, ls labels.Labels, at int64, v float64) (storage.SeriesRef, error) {
	ref, err := a.Appender.Append(ref, ls, at, v)
	if !errors.Is(err, metricstore.ErrReadOnly) {
		return ref, err
	}
	if name := ls.Get(model.MetricNameLabel); name == alertsSeries || name == forStateSeries {
		return 0, nil
	}
	a.recorded = true
	return 0, err
}

// Commit fails where a recorded sample was refused.
func (a *ruleAppender) Commit() error {
	err := a.Appender.Commit()
	if errors.Is(err, metricstore.ErrReadOnly) && !a.recorded {
		return nil
	}
	return err
}
