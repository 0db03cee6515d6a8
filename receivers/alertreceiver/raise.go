package alertreceiver

import (
	"context"
	"errors"
	"net/http"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/zap"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/problem"
)

// Raise sends one alert down the pipeline, and gives it as the incident exporter has stored it.
func (r *alertReceiver) Raise(ctx context.Context, definition *api.AlertDefinition, by string) (alert.Record, error) {
	ctx, end, ok := r.requests.Begin(ctx)
	if !ok {
		return alert.Record{}, unavailable("the receiver has stopped")
	}
	defer end()
	a, faults := define(definition, by, r.now())
	if len(faults) > 0 {
		return alert.Record{}, problem.Fields(http.StatusBadRequest, faults...)
	}
	ctx, receipt := alert.WithReceipt(ctx)
	err := r.send(ctx, a)
	stored, filled := receipt.Stored()
	switch {
	case filled && len(stored) == 1:
		if err != nil {
			r.set.Logger.Warn("An alert is stored, and another exporter of the pipeline refused it", zap.String("alert", stored[0].ID), zap.Error(err))
		}
		return stored[0], nil
	case err != nil:
		return alert.Record{}, refusal(ctx, err)
	default:
		return alert.Record{}, problem.New(http.StatusInternalServerError, "the alert was sent, and nothing has stored it by now: the pipeline of "+
			"the receiver %q must lead to an \"incident\" exporter without a processor, such as batch, or a connector that keeps alerts for later", r.set.ID)
	}
}

// refusal says whether sending again may help.
func refusal(ctx context.Context, err error) error {
	switch {
	case consumererror.IsPermanent(err):
		return problem.New(http.StatusUnprocessableEntity, "the pipeline refused the alert: %s", err)
	case errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	default:
		return unavailable("the alert is not stored: " + err.Error())
	}
}

func unavailable(detail string) error {
	d := problem.New(http.StatusServiceUnavailable, "%s", detail)
	d.RetryAfter = retryAfter
	return d
}
