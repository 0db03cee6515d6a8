package incidentexporter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/state"
)

// consume stores all alerts of md that can be stored. It returns a permanent error where none can, and a retryable
// one where the store failed; what was stored by then is known when it comes again.
func (e *incidentExporter) consume(ctx context.Context, md pmetric.Metrics) error {
	alerts, err := alert.Decode(md)
	malformed := split(err)
	var refused []error
	if len(alerts) > 0 {
		if refused, err = e.handle(ctx, alerts); err != nil {
			e.expiry.begin(time.Now())
			return fmt.Errorf("store alerts: %w", err)
		}
	}
	if hasExpiryMark(md) {
		e.expire(ctx)
	}
	return e.report(ctx, malformed, refused, len(alerts)-len(refused))
}

// storeNow stores all alerts of md or none, and fills in the receipt. Its error is permanent or not, as that of
// consume.
func (e *incidentExporter) storeNow(ctx context.Context, md pmetric.Metrics, receipt *alert.Receipt) error {
	alerts, err := alert.Decode(md)
	if err != nil {
		e.refuse(ctx, "malformed", split(err))
		return consumererror.NewPermanent(err)
	}
	if len(alerts) == 0 {
		return nil
	}
	stored, outcome, err := e.correlator.Raise(ctx, alerts)
	switch {
	case err == nil:
		e.count(ctx, outcome)
		receipt.Fill(stored)
		return nil
	case isRefusal(err):
		e.refuse(ctx, "refused", []error{err})
		return consumererror.NewPermanent(err)
	default:
		return fmt.Errorf("store alerts: %w", err)
	}
}

// handle stores alerts, together or, where that is refused, in smaller batches until only those are left that are at
// fault.
func (e *incidentExporter) handle(ctx context.Context, alerts []alert.Alert) (refused []error, err error) {
	outcome, err := e.correlator.Handle(ctx, alerts)
	switch {
	case err == nil:
		e.count(ctx, outcome)
		return nil, nil
	case !isRefusal(err):
		return nil, err
	case len(alerts) == 1:
		return []error{fmt.Errorf("alert %q (%s): %w", alerts[0].Name(), alerts[0].Fingerprint(), err)}, nil
	}
	half := len(alerts) / 2
	refused, err = e.handle(ctx, alerts[:half])
	if err != nil {
		return nil, err
	}
	rest, err := e.handle(ctx, alerts[half:])
	return append(refused, rest...), err
}

// isRefusal tells what would be refused again from what may succeed later.
func isRefusal(err error) bool {
	return errors.Is(err, state.ErrInvalid) || errors.Is(err, state.ErrConflict)
}

// report counts and logs what was refused.
func (e *incidentExporter) report(ctx context.Context, malformed, refused []error, stored int) error {
	if len(malformed)+len(refused) == 0 {
		return nil
	}
	e.refuse(ctx, "malformed", malformed)
	e.refuse(ctx, "refused", refused)
	err := errors.Join(append(malformed, refused...)...)
	if stored == 0 {
		return consumererror.NewPermanent(fmt.Errorf("no alert could be stored: %w", err))
	}
	e.logger.Warn("Alerts were refused", zap.Int("stored_of_the_same_batch", stored), zap.Error(err))
	return nil
}

// split gives the parts of a joined error.
func split(err error) []error {
	var joined interface{ Unwrap() []error }
	switch {
	case err == nil:
		return nil
	case errors.As(err, &joined):
		return joined.Unwrap()
	default:
		return []error{err}
	}
}
