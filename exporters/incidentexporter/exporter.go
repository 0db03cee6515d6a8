package incidentexporter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/quantivista/monitoring/exporters/incidentexporter/internal/metadata"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/hostext"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/state"
)

// incidentExporter stores alerts and correlates them.
type incidentExporter struct {
	cfg       *Config
	rules     incident.Correlation
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder

	correlator *incident.Correlator
	stop       func() // ends the sweeper and waits for it
}

func newIncidentExporter(cfg *Config, set exporter.Settings) (*incidentExporter, error) {
	rules, err := cfg.correlation()
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &incidentExporter{cfg: cfg, rules: rules, logger: set.Logger, telemetry: telemetry, stop: func() {}}, nil
}

func (e *incidentExporter) start(_ context.Context, host component.Host) error {
	store, err := hostext.Find[incident.Writer](host, e.cfg.SQLStore)
	if err != nil {
		return fmt.Errorf("\"sql_store\": %w", err)
	}
	e.correlator = incident.NewCorrelator(store, e.rules, time.Now)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.sweep(ctx)
	}()
	e.stop = func() {
		cancel()
		<-done
	}
	return nil
}

func (e *incidentExporter) shutdown(context.Context) error {
	e.stop()
	e.telemetry.Shutdown()
	return nil
}

// sweep resolves quiet incidents from time to time. While the store is away it says so once.
func (e *incidentExporter) sweep(ctx context.Context) {
	ticker := time.NewTicker(e.cfg.SweepInterval)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		outcome, err := e.correlator.Sweep(ctx)
		e.count(ctx, outcome)
		if err != nil && ctx.Err() == nil && !failing {
			e.logger.Warn("Quiet incidents could not be resolved, and will be later", zap.Error(err))
		}
		failing = err != nil
	}
}

// consume stores all alerts of md that can be stored. It returns a permanent error where none can, and a retryable
// one where the store failed; what was stored by then is known when it comes again.
func (e *incidentExporter) consume(ctx context.Context, md pmetric.Metrics) error {
	alerts, err := alert.Decode(md)
	malformed := split(err)
	var refused []error
	if len(alerts) > 0 {
		if refused, err = e.handle(ctx, alerts); err != nil {
			return fmt.Errorf("store alerts: %w", err)
		}
	}
	return e.report(ctx, malformed, refused, len(alerts)-len(refused))
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
