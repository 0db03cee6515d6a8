package alertmanagerextension

import (
	"context"
	"time"

	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/types"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/quantivista/monitoring/extensions/alertmanagerextension/internal/embedded"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incidenttrace"
	"github.com/quantivista/monitoring/internal/notification"
	"github.com/quantivista/monitoring/internal/state"
)

const (
	// tracedAlerts of a message are looked up for their incidents.
	tracedAlerts = 20
	// traceTimeout bounds that: the message has been sent by then, and nobody is to wait for the trace.
	traceTimeout = 2 * time.Second
)

// traced makes an attempt. Where the collector traces itself it is a span, and is added to the traces of the incidents that
// its alerts are in.
func (s *sender) traced(ctx context.Context, n *notification.Notification, alerts []*types.Alert) (retry bool, err error) {
	message := incidenttrace.Message{Receiver: n.Receiver, Integration: n.Integration, Group: n.GroupKey, Began: time.Now()}
	ctx, span := s.keeper.tracer.Start(ctx, "notify", trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	retry, err = s.inner.Notify(embedded.WithKey(ctx, n.ID), alerts...)
	if !span.IsRecording() {
		return retry, err
	}
	span.SetAttributes(
		attribute.String("alertmanager.receiver", n.Receiver), attribute.String("alertmanager.integration", n.Integration),
		attribute.String("alertmanager.group", n.GroupKey), attribute.String("notification.id", n.ID),
		attribute.Int("notification.firing", len(n.Firing)), attribute.Int("notification.resolved", len(n.Resolved)))
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	message.Grouped, message.Err = waitedSince(ctx, alerts, message.Began), err
	s.keeper.tell(ctx, &message, alerts)
	return retry, err
}

// waitedSince is when the first of the alerts of a group came in that were updated since it was told of last.
func waitedSince(ctx context.Context, alerts []*types.Alert, now time.Time) time.Time {
	if flushed, ok := notify.Now(ctx); ok && flushed.Before(now) {
		now = flushed
	}
	since := now
	for _, a := range alerts {
		if a.UpdatedAt.Before(since) {
			since = a.UpdatedAt
		}
	}
	return since
}

// tell adds a message to the traces of its incidents. A store that does not know them leaves these without it.
func (k *keeper) tell(ctx context.Context, m *incidenttrace.Message, alerts []*types.Alert) {
	lookup, cancel := context.WithTimeout(context.WithoutCancel(ctx), traceTimeout)
	defer cancel()
	told := map[string]bool{}
	for _, id := range k.incidentsOf(lookup, alerts[:min(len(alerts), tracedAlerts)]) {
		if !told[id] {
			incidenttrace.Notified(ctx, k.tracer, id, m)
		}
		told[id] = true
	}
}

// incidentsOf gives the unresolved incidents of alerts, by their labels.
func (k *keeper) incidentsOf(ctx context.Context, alerts []*types.Alert) []string {
	var ids, incidents []string
	for _, a := range alerts {
		q := alert.Query{Page: state.Page{Limit: 1}}
		for name, value := range a.Labels {
			q.Matchers = append(q.Matchers, alert.Matcher{Name: string(name), Op: alert.MatchEqual, Value: string(value)})
		}
		if list, err := k.store.Alerts(ctx, q); err == nil && len(list.Alerts) > 0 {
			ids = append(ids, list.Alerts[0].ID)
		}
	}
	cases, err := k.store.Cases(ctx, ids)
	if err != nil {
		return nil
	}
	for _, id := range ids {
		if c, ok := cases[id]; ok && c.Incident != nil {
			incidents = append(incidents, c.Incident.ID)
		}
	}
	return incidents
}
