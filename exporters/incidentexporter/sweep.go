package incidentexporter

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"
)

// sweep does from time to time what no alert gives rise to: it lets alerts go that are not muted any more, resolves quiet
// incidents, ends alerts that nobody reports any more, and deletes what is old. While the store is away it says so once.
func (e *incidentExporter) sweep(ctx context.Context) {
	ticker := time.NewTicker(e.cfg.SweepInterval)
	defer ticker.Stop()
	failing, forgotten := false, time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := e.sweepOnce(ctx)
		if err == nil && e.cfg.Retention != 0 && time.Since(forgotten) >= retentionPause {
			if err = e.forget(ctx); err == nil {
				forgotten = time.Now()
			}
		}
		if err != nil && ctx.Err() == nil && !failing {
			e.logger.Warn("What is due of alerts and incidents could not be done, and will be later", zap.Error(err))
		}
		failing = err != nil
	}
}

func (e *incidentExporter) sweepOnce(ctx context.Context) error {
	e.expiry.tick(time.Now())
	outcome, err := e.correlator.Sweep(ctx)
	e.count(ctx, outcome)
	var refused error
	if err != nil && isRefusal(err) {
		refused, err = err, nil
	}
	if err == nil && e.expiry.due(time.Now()) {
		err = e.markExpiry(ctx)
	}
	if err != nil {
		e.expiry.begin(time.Now())
	}
	return errors.Join(refused, err)
}

// markExpiry puts a mark into the queue where an alert has expired. Once the mark has come through, every report that
// was in the queue is stored, and what has expired still is expired for good.
func (e *incidentExporter) markExpiry(ctx context.Context) error {
	has, err := e.correlator.HasExpired(ctx, e.expiredBefore())
	if err != nil || !has || !e.expiry.mark(time.Now()) {
		return err
	}
	if err := e.queued.ConsumeMetrics(ctx, expiryMark()); err != nil {
		e.expiry.unmark() // the queue is full: it is for later
	}
	return nil
}

// expire ends expired alerts. A failure is for the next sweep to mend: the mark is not sent again.
func (e *incidentExporter) expire(ctx context.Context) {
	e.expiry.unmark()
	if !e.expiry.due(time.Now()) {
		return
	}
	outcome, err := e.correlator.Expire(ctx, e.expiredBefore())
	e.count(ctx, outcome)
	if outcome.AlertsExpired > 0 {
		e.logger.Info("Alerts were not reported any more, and are over", zap.Int("alerts", outcome.AlertsExpired))
	}
	if err != nil {
		e.expiry.begin(time.Now())
		e.logger.Warn("Expired alerts could not be ended, and will be later", zap.Error(err))
	}
}

// expiredBefore allows for reporters whose clocks are behind ours.
func (e *incidentExporter) expiredBefore() time.Time { return time.Now().Add(-e.cfg.MaxClockSkew) }

// expiryMarkName is the name of the metric that is the mark in the queue; it has one point and nothing else.
const expiryMarkName = "otelcol_exporter_incident_expiry_mark"

func expiryMark() pmetric.Metrics {
	md := pmetric.NewMetrics()
	m := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(expiryMarkName)
	m.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(1)
	return md
}

// hasExpiryMark finds the mark, alone or where a queue that makes batches has put it among alerts.
func hasExpiryMark(md pmetric.Metrics) bool {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if m.Name() == expiryMarkName {
					return true
				}
			}
		}
	}
	return false
}
