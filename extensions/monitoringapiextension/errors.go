package monitoringapiextension

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/metricstore"
	"github.com/quantivista/monitoring/internal/problem"
	"github.com/quantivista/monitoring/internal/scrapetargets"
)

const (
	// retryAfter is when to come back to a store or pipeline that does not take requests now.
	retryAfter = 5 * time.Second
	// statusClientClosedRequest is nginx' and Prometheus' status for a client that went away.
	statusClientClosedRequest = 499
)

// errShuttingDown is the cause of the contexts that a shutdown cancels.
var errShuttingDown = errors.New("the server shuts down")

// fail answers a request with its error; the one place that maps errors to statuses. Once the answer has begun
// there is nothing left but to log.
func (s *restServer) fail(w http.ResponseWriter, r *http.Request, err error) {
	if begun(w) {
		s.logger.Debug("The answer could not be completed", zap.String("path", r.URL.Path), zap.Error(err))
		return
	}
	d := toProblem(r.Context(), err)
	if d.Status == http.StatusInternalServerError {
		s.logger.Error("Cannot answer a request", zap.String("method", r.Method), zap.String("path", r.URL.Path), zap.Error(err))
	}
	if err := d.Write(w); err != nil {
		s.logger.Debug("The client left before the answer", zap.Error(err))
	}
}

// toProblem maps an error. One that is not known is a 500 without details, which may be secrets.
func toProblem(ctx context.Context, err error) *problem.Error {
	var (
		details   *problem.Error
		syntax    *metricstore.SyntaxError
		tooLarge  *http.MaxBytesError
		missing   *api.RequiredParamError
		malformed *api.InvalidParamFormatError
		many      *api.TooManyValuesForParamError
	)
	switch stored, traced, logged := stateProblem(err), tracesProblem(err), logsProblem(err); {
	case errors.As(err, &details):
		return details
	case errors.As(err, &syntax):
		return problem.Field(http.StatusBadRequest, "query", "%s", syntax)
	case errors.Is(err, metricstore.ErrTimeout):
		return problem.Field(http.StatusServiceUnavailable, "query", "%s", err)
	case errors.Is(err, metricstore.ErrTooManySamples), errors.Is(err, metricstore.ErrExecution):
		return problem.Field(http.StatusUnprocessableEntity, "query", "%s", err)
	case errors.Is(err, metricstore.ErrCanceled), errors.Is(err, context.Canceled):
		return canceled(ctx)
	case errors.Is(err, metricstore.ErrUnavailable), isUnreachable(err):
		return unavailable(err)
	case errors.As(err, &tooLarge):
		return problem.Field(http.StatusRequestEntityTooLarge, "body", "is larger than %d bytes, the most that is taken", tooLarge.Limit)
	case errors.As(err, &missing):
		return problem.Field(http.StatusBadRequest, missing.ParamName, "must be given")
	case errors.As(err, &malformed):
		return problem.Field(http.StatusBadRequest, malformed.ParamName, "%s", malformed.Err)
	case errors.As(err, &many):
		return problem.Field(http.StatusBadRequest, many.ParamName, "must be given once")
	case stored != nil:
		return stored
	case traced != nil:
		return traced
	case logged != nil:
		return logged
	default:
		return problem.New(http.StatusInternalServerError, "")
	}
}

func isUnreachable(err error) bool {
	var unreachable *scrapetargets.UnreachableError
	return errors.As(err, &unreachable)
}

func unavailable(err error) *problem.Error {
	d := problem.New(http.StatusServiceUnavailable, "%s", err)
	d.RetryAfter = retryAfter
	return d
}

// canceled tells a shutdown from a client that went away, who will not read the answer.
func canceled(ctx context.Context) *problem.Error {
	if errors.Is(context.Cause(ctx), errShuttingDown) {
		return unavailable(errShuttingDown)
	}
	d := problem.New(statusClientClosedRequest, "")
	d.Title = "Client Closed Request"
	return d
}
