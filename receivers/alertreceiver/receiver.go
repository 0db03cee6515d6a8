package alertreceiver

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"

	"github.com/quantivista/monitoring/extensions/monitoringapiextension"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/hostext"
	"github.com/quantivista/monitoring/internal/inflight"
	"github.com/quantivista/monitoring/receivers/alertreceiver/internal/metadata"
)

const (
	// format names the payload in the collector's telemetry.
	format = "json"
	// retryAfter is when to come back to a pipeline that does not take alerts now.
	retryAfter = 5 * time.Second
	// gracePeriod is how long a shutdown lets requests run before it cancels them.
	gracePeriod = 2 * time.Second
)

// alertReceiver is the alert receiver.
type alertReceiver struct {
	cfg        *Config
	set        receiver.Settings
	next       consumer.Metrics
	obs        *receiverhelper.ObsReport
	severities alert.SeverityMap
	starts     *starts
	now        func() time.Time

	detach   func()
	requests *inflight.Requests
}

var _ monitoringapiextension.AlertsHandler = (*alertReceiver)(nil)

func newReceiver(cfg *Config, set receiver.Settings, next consumer.Metrics) (*alertReceiver, error) {
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: "http", ReceiverCreateSettings: set,
	})
	if err != nil {
		return nil, err
	}
	return &alertReceiver{
		cfg: cfg, set: set, next: next, obs: obs, severities: cfg.Map(), starts: newStarts(), now: time.Now,
		detach: func() {}, requests: inflight.New(),
	}, nil
}

// Start attaches the receiver to the API.
func (r *alertReceiver) Start(_ context.Context, host component.Host) error {
	server, err := hostext.Find[monitoringapiextension.AlertsAPI](host, r.cfg.API)
	if err != nil {
		return fmt.Errorf("\"api\": %w", err)
	}
	detach, err := server.HandleAlerts(r.set.ID, r)
	if err != nil {
		return err
	}
	r.detach = detach
	return nil
}

// Shutdown detaches the receiver and waits for the requests that run; after 2 seconds, or when ctx ends, it
// cancels them. It may be called without Start, and twice.
func (r *alertReceiver) Shutdown(ctx context.Context) error {
	r.detach()
	r.requests.Stop(ctx, gracePeriod)
	return nil
}

// send hands valid alerts to the pipeline. It returns once the pipeline took them.
func (r *alertReceiver) send(ctx context.Context, alerts ...alert.Alert) error {
	md, err := alert.Encode(metadata.ScopeName, alerts)
	if err != nil {
		return err
	}
	ctx = r.obs.StartMetricsOp(ctx)
	err = r.next.ConsumeMetrics(ctx, md)
	r.obs.EndMetricsOp(ctx, format, len(alerts), err)
	return err
}
