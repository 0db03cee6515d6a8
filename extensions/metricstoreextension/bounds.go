package metricstoreextension

import (
	"fmt"
	"math"
	"time"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/storage"
)

// maxAhead is how far into the future a sample may lie, as in Prometheus' own write endpoints.
const maxAhead = 10 * time.Minute

// boundedAppender refuses samples that no clock in order would send. An empty TSDB takes any time stamp: one
// sample at the epoch would make it cut blocks for every two hours since 1970, one in the future would make
// every later sample too old.
type boundedAppender struct {
	storage.Appender
	oldest, newest int64 // milliseconds
}

var _ storage.Appender = (*boundedAppender)(nil)

func newBoundedAppender(a storage.Appender, now time.Time, retention time.Duration) *boundedAppender {
	b := &boundedAppender{Appender: a, oldest: math.MinInt64, newest: now.Add(maxAhead).UnixMilli()}
	if retention > 0 {
		b.oldest = now.Add(-retention).UnixMilli()
	} else {
		b.oldest = now.AddDate(-10, 0, 0).UnixMilli()
	}
	return b
}

func (b *boundedAppender) check(t int64) error {
	switch {
	case t > b.newest:
		return fmt.Errorf("%w: the sample lies more than %s in the future", storage.ErrOutOfBounds, maxAhead)
	case t < b.oldest:
		return fmt.Errorf("%w: the sample is older than the retention time", storage.ErrTooOldSample)
	default:
		return nil
	}
}

// Append checks the time stamp.
func (b *boundedAppender) Append(ref storage.SeriesRef, l labels.Labels, t int64, v float64) (storage.SeriesRef, error) {
	if t > b.newest || t < b.oldest {
		return 0, b.check(t)
	}
	return b.Appender.Append(ref, l, t, v)
}

// AppendHistogram checks the time stamp.
func (b *boundedAppender) AppendHistogram(ref storage.SeriesRef, l labels.Labels, t int64, h *histogram.Histogram, fh *histogram.FloatHistogram) (storage.SeriesRef, error) {
	if err := b.check(t); err != nil {
		return 0, err
	}
	return b.Appender.AppendHistogram(ref, l, t, h, fh)
}

// AppendSTZeroSample checks both time stamps.
func (b *boundedAppender) AppendSTZeroSample(ref storage.SeriesRef, l labels.Labels, t, st int64) (storage.SeriesRef, error) {
	if b.check(t) != nil || b.check(st) != nil {
		return 0, storage.ErrOutOfOrderST
	}
	return b.Appender.AppendSTZeroSample(ref, l, t, st)
}

// AppendHistogramSTZeroSample checks both time stamps.
func (b *boundedAppender) AppendHistogramSTZeroSample(ref storage.SeriesRef, l labels.Labels, t, st int64, h *histogram.Histogram, fh *histogram.FloatHistogram) (storage.SeriesRef, error) {
	if b.check(t) != nil || b.check(st) != nil {
		return 0, storage.ErrOutOfOrderST
	}
	return b.Appender.AppendHistogramSTZeroSample(ref, l, t, st, h, fh)
}

// failingAppender answers every write with one error.
type failingAppender struct{ err error }

var _ storage.Appender = failingAppender{}

func (f failingAppender) Append(storage.SeriesRef, labels.Labels, int64, float64) (storage.SeriesRef, error) {
	return 0, f.err
}

func (f failingAppender) AppendHistogram(storage.SeriesRef, labels.Labels, int64, *histogram.Histogram, *histogram.FloatHistogram) (storage.SeriesRef, error) {
	return 0, f.err
}

func (f failingAppender) AppendSTZeroSample(storage.SeriesRef, labels.Labels, int64, int64) (storage.SeriesRef, error) {
	return 0, f.err
}

func (f failingAppender) AppendHistogramSTZeroSample(storage.SeriesRef, labels.Labels, int64, int64, *histogram.Histogram, *histogram.FloatHistogram) (storage.SeriesRef, error) {
	return 0, f.err
}

func (f failingAppender) AppendExemplar(storage.SeriesRef, labels.Labels, exemplar.Exemplar) (storage.SeriesRef, error) {
	return 0, f.err
}

func (f failingAppender) UpdateMetadata(storage.SeriesRef, labels.Labels, metadata.Metadata) (storage.SeriesRef, error) {
	return 0, f.err
}

func (f failingAppender) SetOptions(*storage.AppendOptions) {}
func (f failingAppender) Commit() error                     { return f.err }
func (f failingAppender) Rollback() error                   { return nil }
