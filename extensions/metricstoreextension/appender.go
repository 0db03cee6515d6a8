package metricstoreextension

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/storage"
)

const (
	// maxAhead is how far into the future a sample may lie, as in Prometheus' own write endpoints.
	maxAhead = 10 * time.Minute
	// maxAge is how old a sample may be where the retention has no limit.
	maxAge = 10 * 365 * 24 * time.Hour
)

// appender is one batch of writes. It refuses samples that no clock in order would send: an empty TSDB takes
// any time stamp, and one sample at the epoch would make it cut blocks for every two hours since 1970, one in
// the future would make every later sample too old.
type appender struct {
	db       *database
	inner    tsdbAppender
	families *familyMetadata

	oldest, newest int64 // milliseconds
	done           bool
}

// tsdbAppender is what the TSDB's appenders are.
type tsdbAppender interface {
	storage.Appender
	storage.GetRef
}

var _ tsdbAppender = (*appender)(nil)

// newAppender needs a database that was entered; the appender leaves it.
func newAppender(d *database, inner tsdbAppender, families *familyMetadata, now time.Time, retention time.Duration) *appender {
	if retention == 0 {
		retention = maxAge
	}
	return &appender{
		db:       d,
		inner:    inner,
		families: families,
		oldest:   now.Add(-retention).UnixMilli(),
		newest:   now.Add(maxAhead).UnixMilli(),
	}
}

func (a *appender) outOfBounds(t int64) bool { return t > a.newest || t < a.oldest }

// boundsError is for a time that is out of bounds.
func (a *appender) boundsError(t int64) error {
	if t > a.newest {
		return fmt.Errorf("%w: the sample lies more than %s in the future", storage.ErrOutOfBounds, maxAhead)
	}
	return fmt.Errorf("%w: the sample is older than the retention time", storage.ErrTooOldSample)
}

// Append checks the time stamp.
func (a *appender) Append(ref storage.SeriesRef, l labels.Labels, t int64, v float64) (storage.SeriesRef, error) {
	if a.outOfBounds(t) {
		return 0, a.boundsError(t)
	}
	ref, err := a.inner.Append(a.db.internal(ref), l, t, v)
	return a.db.external(ref), err
}

// AppendHistogram checks the time stamp.
func (a *appender) AppendHistogram(ref storage.SeriesRef, l labels.Labels, t int64, h *histogram.Histogram, fh *histogram.FloatHistogram) (storage.SeriesRef, error) {
	if a.outOfBounds(t) {
		return 0, a.boundsError(t)
	}
	ref, err := a.inner.AppendHistogram(a.db.internal(ref), l, t, h, fh)
	return a.db.external(ref), err
}

// AppendSTZeroSample checks both time stamps.
func (a *appender) AppendSTZeroSample(ref storage.SeriesRef, l labels.Labels, t, st int64) (storage.SeriesRef, error) {
	if a.outOfBounds(t) || a.outOfBounds(st) {
		return 0, storage.ErrOutOfOrderST
	}
	ref, err := a.inner.AppendSTZeroSample(a.db.internal(ref), l, t, st)
	return a.db.external(ref), err
}

// AppendHistogramSTZeroSample checks both time stamps.
func (a *appender) AppendHistogramSTZeroSample(ref storage.SeriesRef, l labels.Labels, t, st int64, h *histogram.Histogram, fh *histogram.FloatHistogram) (storage.SeriesRef, error) {
	if a.outOfBounds(t) || a.outOfBounds(st) {
		return 0, storage.ErrOutOfOrderST
	}
	ref, err := a.inner.AppendHistogramSTZeroSample(a.db.internal(ref), l, t, st, h, fh)
	return a.db.external(ref), err
}

// AppendExemplar of a series that has a sample already.
func (a *appender) AppendExemplar(ref storage.SeriesRef, l labels.Labels, e exemplar.Exemplar) (storage.SeriesRef, error) {
	ref, err := a.inner.AppendExemplar(a.db.internal(ref), l, e)
	return a.db.external(ref), err
}

// UpdateMetadata goes to the metadata of families, and not to the TSDB, which would keep it by series.
func (a *appender) UpdateMetadata(ref storage.SeriesRef, l labels.Labels, m metadata.Metadata) (storage.SeriesRef, error) {
	if name := l.Get(model.MetricNameLabel); name != "" {
		a.families.SetMetadata(familyOf(name, m.Type), m)
	}
	return ref, nil
}

// GetRef gives the reference and the labels of a series that the TSDB knows, or 0.
func (a *appender) GetRef(l labels.Labels, hash uint64) (storage.SeriesRef, labels.Labels) {
	ref, found := a.inner.GetRef(l, hash)
	return a.db.external(ref), found
}

// SetOptions of this batch.
func (a *appender) SetOptions(opts *storage.AppendOptions) { a.inner.SetOptions(opts) }

// Commit acknowledges the batch, or answers ErrUnavailable: part of it may be stored then, and the whole may
// be sent again.
func (a *appender) Commit() error {
	defer a.leave()
	if err := a.db.refused(); err != nil {
		return errors.Join(err, a.inner.Rollback())
	}
	err := a.inner.Commit()
	if broken := a.db.checkLog(); broken != nil {
		return errors.Join(broken, err)
	}
	return err
}

// Rollback drops the batch.
func (a *appender) Rollback() error {
	defer a.leave()
	err := a.inner.Rollback()
	// The TSDB logs the new series of a batch that it drops, too.
	if broken := a.db.checkLog(); broken != nil {
		return errors.Join(broken, err)
	}
	return err
}

func (a *appender) leave() {
	if !a.done {
		a.done = true
		a.db.users.leave()
	}
}
