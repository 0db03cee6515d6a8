package optionalotlpexporter

import (
	"context"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/quantivista/monitoring/exporters/optionalotlpexporter/internal/metadata"
)

// maxRequests bounds what one batch may make of itself, so that a backend that refuses everything is not stormed.
const maxRequests = 64

// divider sends batches. One that is refused for good is divided until what the backend does not want is alone: the rest
// must not be lost with it.
type divider[T any] struct {
	signal[T]
	send      sender[T]
	telemetry *metadata.TelemetryBuilder
	logger    *zap.Logger
}

// push sends a batch. What is refused for good is counted by reason and dropped; where the backend is away, what was not
// taken yet is to be sent again.
func (d *divider[T]) push(ctx context.Context, batch T) error {
	err := d.send(ctx, batch)
	if err == nil || !divisible(err) {
		return err
	}
	waiting := d.divide(ctx, batch, err, maxRequests-1)
	for requests := 2; len(waiting) > 0; requests++ {
		part := waiting[0]
		waiting = waiting[1:]
		err := d.send(ctx, part)
		switch {
		case err == nil:
		case divisible(err):
			waiting = append(d.divide(ctx, part, err, maxRequests-requests-len(waiting)), waiting...)
		case consumererror.IsPermanent(err):
			d.drop(ctx, part, err)
		default:
			for _, rest := range waiting {
				d.join(part, rest)
			}
			return d.retry(err, part)
		}
	}
	return nil
}

// divide gives the halves of a batch, or drops it where it has none, or where no more requests are left for them.
func (d *divider[T]) divide(ctx context.Context, batch T, err error, requests int) []T {
	n := d.count(batch)
	if n < 2 || requests < 2 {
		d.drop(ctx, batch, err)
		return nil
	}
	return []T{d.part(batch, 0, n/2), d.part(batch, n/2, n)}
}

func (d *divider[T]) drop(ctx context.Context, batch T, err error) {
	reason := reasonOf(err)
	d.refused(d.telemetry).Add(ctx, int64(d.count(batch)), metric.WithAttributeSet(attribute.NewSet(attribute.String("reason", reason))))
	d.logger.Warn("Dropping "+d.noun+" that the endpoint refuses for good", zap.Int("dropped_items", d.count(batch)), zap.String("reason", reason), zap.Error(err))
}

// divisible says that a refusal may be for some of a batch. Of credentials and paths it is for all.
func divisible(err error) bool {
	if !consumererror.IsPermanent(err) {
		return false
	}
	switch status.Code(err) {
	case codes.Unauthenticated, codes.PermissionDenied, codes.Unimplemented, codes.NotFound, codes.Canceled:
		return false
	default:
		return true
	}
}

func reasonOf(err error) string {
	switch status.Code(err) {
	case codes.ResourceExhausted:
		return "too_large"
	case codes.InvalidArgument, codes.OutOfRange, codes.FailedPrecondition:
		return "invalid"
	default:
		return "other"
	}
}
