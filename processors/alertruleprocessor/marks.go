package alertruleprocessor

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
)

// mark writes that alerts fire at a time, or that they do no longer, as samples of the series ALERTS. That is what a
// process which comes up again knows of the alerts of the one before. Prometheus' rules write the same samples, but not
// before their state is restored, two intervals after a start, while they tell of alerts from the first evaluation on:
// an alert of a process that is killed by then would fire for ever.
func mark(ctx context.Context, to storage.Appendable, at time.Time, firing bool, alerts []labels.Labels) error {
	if len(alerts) == 0 {
		return nil
	}
	sample := 1.0
	if !firing {
		sample = math.Float64frombits(value.StaleNaN)
	}
	app := to.Appender(ctx)
	var errs []error
	for _, ls := range alerts {
		series := labels.NewBuilder(ls).Set(model.MetricNameLabel, alertsSeries).Set(stateLabel, "firing").Labels()
		_, err := app.Append(0, series, at.UnixMilli(), sample)
		errs = append(errs, err)
	}
	return errors.Join(append(errs, app.Commit())...)
}
