package custommetricsreceiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/extensions/monitoringapiextension"
	"github.com/quantivista/monitoring/internal/hostext"
	"github.com/quantivista/monitoring/internal/inflight"
	"github.com/quantivista/monitoring/internal/metricstore"
	"github.com/quantivista/monitoring/internal/problem"
)

const (
	// format names the payload in the collector's telemetry.
	format = "json"
	// retryAfter is when to come back to a pipeline that is full.
	retryAfter = 5 * time.Second
	// gracePeriod is how long a shutdown lets requests run before it cancels them.
	gracePeriod = 2 * time.Second
)

// customMetrics is the custom_metrics receiver.
type customMetrics struct {
	cfg  *Config
	set  receiver.Settings
	next consumer.Metrics
	obs  *receiverhelper.ObsReport
	now  func() time.Time

	detach   func()
	requests *inflight.Requests
}

func newReceiver(cfg *Config, set receiver.Settings, next consumer.Metrics) (*customMetrics, error) {
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: "http", ReceiverCreateSettings: set,
	})
	if err != nil {
		return nil, err
	}
	return &customMetrics{cfg: cfg, set: set, next: next, obs: obs, now: time.Now, detach: func() {}, requests: inflight.New()}, nil
}

// Start attaches the receiver to the API.
func (r *customMetrics) Start(_ context.Context, host component.Host) error {
	server, err := hostext.Find[monitoringapiextension.CustomMetricsAPI](host, r.cfg.API)
	if err != nil {
		return fmt.Errorf("\"api\": %w", err)
	}
	detach, err := server.HandleCustomMetrics(r.set.ID, r.take)
	if err != nil {
		return err
	}
	r.detach = detach
	return nil
}

// Shutdown detaches the receiver and waits for the requests that run; after 2 seconds, or when ctx ends, it
// cancels them. It may be called without Start, and twice.
func (r *customMetrics) Shutdown(ctx context.Context) error {
	r.detach()
	r.requests.Stop(ctx, gracePeriod)
	return nil
}

// take hands the metrics of one request to the pipeline, all or none. It returns once the pipeline took them.
func (r *customMetrics) take(ctx context.Context, request api.CustomMetrics) error {
	ctx, end, ok := r.requests.Begin(ctx)
	if !ok {
		return unavailable("the receiver has stopped")
	}
	defer end()
	if len(request.Metrics) > r.cfg.MaxMetricsPerRequest {
		return problem.Field(http.StatusRequestEntityTooLarge, "metrics", "has %d metrics, at most %d are taken at once (\"max_metrics_per_request\")",
			len(request.Metrics), r.cfg.MaxMetricsPerRequest)
	}
	points, faults := check(request.Metrics, r.now())
	if len(faults) > 0 {
		return problem.Fields(http.StatusBadRequest, faults...)
	}
	if len(points) == 0 {
		return nil
	}

	ctx = r.obs.StartMetricsOp(metricstore.WithAtomic(ctx))
	err := r.next.ConsumeMetrics(ctx, convert(points))
	r.obs.EndMetricsOp(ctx, format, len(points), err)
	return refusal(ctx, err)
}

// refusal says whether sending again may help.
func refusal(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case consumererror.IsPermanent(err):
		return problem.New(http.StatusUnprocessableEntity, "the pipeline refused the metrics: %s", err)
	case errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	default:
		return unavailable("the pipeline does not take metrics now: " + err.Error())
	}
}

func unavailable(detail string) error {
	d := problem.New(http.StatusServiceUnavailable, "%s", detail)
	d.RetryAfter = retryAfter
	return d
}
