package metricstoreexporter

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/prometheus/storage"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/quantivista/monitoring/internal/metricstore"
)

// refusal is why a data point was not stored, and never will be.
type refusal int

const (
	outOfOrder refusal = iota
	tooOld
	outOfBounds
	duplicateTimestamp
	deltaTemporality
	invalid
	refusalKinds
)

var refusalNames = [refusalKinds]string{"out_of_order", "too_old", "out_of_bounds", "duplicate_timestamp", "delta_temporality", "invalid"}

func (r refusal) attribute() metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(attribute.String("reason", refusalNames[r])))
}

var errDelta = errors.New("delta temporality: put the deltatocumulative processor in front of this exporter, or have the sender export cumulative values")

// classify tells a refusal of one sample from a failure of the store.
func classify(err error) (reason refusal, failed bool) {
	switch {
	case errors.Is(err, metricstore.ErrUnavailable), errors.Is(err, metricstore.ErrReadOnly):
		return 0, true
	case errors.Is(err, storage.ErrOutOfOrderSample):
		return outOfOrder, false
	case errors.Is(err, storage.ErrTooOldSample):
		return tooOld, false
	case errors.Is(err, storage.ErrOutOfBounds):
		return outOfBounds, false
	case errors.Is(err, storage.ErrDuplicateSampleForTimestamp):
		return duplicateTimestamp, false
	case errors.Is(err, errDelta):
		return deltaTemporality, false
	default:
		return invalid, false
	}
}

// storeFailure has the sender try again, unless it is the configuration that is wrong.
func storeFailure(err error) error {
	if errors.Is(err, metricstore.ErrReadOnly) {
		return consumererror.NewPermanent(err)
	}
	return err
}

// refusals are those of one batch: how many of each kind, and the first of each as an example.
type refusals struct {
	counts   [refusalKinds]int
	examples [refusalKinds]string
}

func (r *refusals) add(reason refusal, points int, metricName string, err error) {
	if r.counts[reason] == 0 {
		r.examples[reason] = fmt.Sprintf("metric %q: %s", metricName, err)
	}
	r.counts[reason] += points
}

func (r *refusals) total() int {
	n := 0
	for _, c := range r.counts {
		n += c
	}
	return n
}

// String lists every kind with its count and example.
func (r *refusals) String() string {
	var parts []string
	for reason, n := range r.counts {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s (%s)", n, refusalNames[reason], r.examples[reason]))
		}
	}
	return strings.Join(parts, "; ")
}

func (r *refusals) permanent() error {
	return consumererror.NewPermanent(refusedError(fmt.Sprintf("no data point could be stored: %s", r)))
}

// refusedError is the sender's fault.
type refusedError string

func (e refusedError) Error() string { return string(e) }

// GRPCStatus has the otlp receiver answer InvalidArgument, or 400, where it would take a permanent error for a
// fault of this server.
func (e refusedError) GRPCStatus() *status.Status {
	return status.New(codes.InvalidArgument, string(e))
}

// refusalLog writes one line for all refusals of a while, not one for each.
type refusalLog struct {
	logger *zap.Logger

	mu      sync.Mutex
	next    time.Time
	skipped int
}

const refusalLogEvery = 10 * time.Second

func (l *refusalLog) log(r *refusals, accepted int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Before(l.next) {
		l.skipped += r.total()
		return
	}
	l.logger.Warn("Data points were not stored",
		zap.String("refused", r.String()), zap.Int("stored_of_the_same_batch", accepted), zap.Int("refused_since_last_line", l.skipped))
	l.next, l.skipped = now.Add(refusalLogEvery), 0
}
