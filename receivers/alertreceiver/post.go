package alertreceiver

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/zap"

	"github.com/quantivista/monitoring/internal/alert"
)

// PostAlerts takes alerts as Alertmanager's API v2 does: those that are valid are taken, though others are not. The
// answers are Alertmanager's, but for 503 where the pipeline does not take alerts now.
func (r *alertReceiver) PostAlerts(w http.ResponseWriter, request *http.Request) {
	ctx, end, ok := r.requests.Begin(request.Context())
	if !ok {
		answerUnavailable(w, "the receiver has stopped")
		return
	}
	defer end()
	w.Header().Set("Cache-Control", "no-store")
	posted, err := decode(request, r.cfg.MaxAlertsPerRequest)
	if err != nil {
		serveError(w, request, err)
		return
	}
	alerts, faults := r.convert(posted, r.now())
	if len(alerts) > 0 {
		if err := r.send(ctx, alerts...); err != nil {
			r.answerRefusal(ctx, w, alerts, err)
			return
		}
	}
	if len(faults) > 0 {
		texts := make([]string, len(faults))
		for i, fault := range faults {
			texts[i] = fault.Error()
		}
		r.set.Logger.Warn("Some alerts of a request are invalid", zap.Int("invalid", len(faults)), zap.Int("taken", len(alerts)), zap.Error(faults[0]))
		answer(w, http.StatusBadRequest, strings.Join(texts, "; "))
		return
	}
	w.WriteHeader(http.StatusOK)
}

// answerRefusal has senders try again unless that cannot help.
func (r *alertReceiver) answerRefusal(ctx context.Context, w http.ResponseWriter, alerts []alert.Alert, err error) {
	r.set.Logger.Warn("The pipeline did not take alerts", zap.Int("alerts", len(alerts)), zap.Error(err))
	switch {
	case consumererror.IsPermanent(err):
		answer(w, http.StatusBadRequest, "the pipeline refused the alerts: "+err.Error())
	case errors.Is(ctx.Err(), context.Canceled):
		answerUnavailable(w, "the request was canceled")
	default:
		answerUnavailable(w, "the pipeline does not take alerts now: "+err.Error())
	}
}

func answerUnavailable(w http.ResponseWriter, text string) {
	w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	answer(w, http.StatusServiceUnavailable, text)
}

// answer writes an error as Alertmanager does, as a JSON string.
func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(text) // A sender that left does not want the text.
}
