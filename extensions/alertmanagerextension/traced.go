package alertmanagerextension

import (
	"context"
	"slices"
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
	// untracedMessages wait for their incidents at most; what is older makes room.
	untracedMessages = 100
	// A message waits for incidents that are still being written: it is looked at after tracePause, then after twice as long,
	// and so on until the pause would be longer than traceLimit.
	tracePause, traceLimit = time.Second, time.Minute
	// traceTimeout bounds a look at the store.
	traceTimeout = 5 * time.Second
)

// untraced is a message that is not in the traces of all its incidents yet.
type untraced struct {
	message incidenttrace.Message
	attempt context.Context //nolint:containedctx // The span that the others link to.
	alerts  []*types.Alert  // those whose incident is not known
	told    map[string]bool // incidents, by ID
	due     time.Time
	pause   time.Duration
}

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
	message.Grouped, message.Ended, message.Err = waitedSince(ctx, alerts, message.Began), time.Now(), err
	s.keeper.trace(&untraced{
		message: message, attempt: context.WithoutCancel(ctx), alerts: slices.Clone(alerts[:min(len(alerts), tracedAlerts)]),
		told: map[string]bool{}, pause: tracePause,
	})
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

// trace has a message added to the traces of its incidents. Nobody waits for it: the message has been sent, and its incident
// may not be written yet.
func (k *keeper) trace(m *untraced) {
	k.mu.Lock()
	k.untraced = append(k.untraced, m)
	if over := len(k.untraced) - untracedMessages; over > 0 {
		k.untraced = slices.Delete(k.untraced, 0, over)
	}
	k.mu.Unlock()
	select {
	case k.traceNow <- struct{}{}:
	default: // It is to look already.
	}
}

// traceMessages adds messages to the traces of their incidents until ctx ends.
func (k *keeper) traceMessages(ctx context.Context) {
	ticker := time.NewTicker(tracePause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.traceNow:
		case <-ticker.C:
		}
		k.traceDue(ctx, time.Now())
	}
}

// traceDue looks for the incidents of the messages that are due, and keeps those that are to be looked at again.
func (k *keeper) traceDue(ctx context.Context, now time.Time) {
	k.mu.Lock()
	var due []*untraced
	k.untraced = slices.DeleteFunc(k.untraced, func(m *untraced) bool {
		if m.due.After(now) {
			return false
		}
		due = append(due, m)
		return true
	})
	k.mu.Unlock()
	due = slices.DeleteFunc(due, func(m *untraced) bool {
		k.tell(ctx, m)
		m.due, m.pause = now.Add(m.pause), 2*m.pause
		return len(m.alerts) == 0 || m.pause > traceLimit
	})
	k.mu.Lock()
	defer k.mu.Unlock()
	k.untraced = append(due, k.untraced...)
}

// tell adds a message to the traces of its incidents, each once, and leaves it the alerts that are in none.
func (k *keeper) tell(ctx context.Context, m *untraced) {
	lookup, cancel := context.WithTimeout(ctx, traceTimeout)
	defer cancel()
	incidents := k.incidentsOf(lookup, m.alerts)
	m.alerts = slices.DeleteFunc(m.alerts, func(a *types.Alert) bool { return incidents[a] != "" })
	for _, id := range incidents {
		if !m.told[id] {
			incidenttrace.Notified(m.attempt, k.tracer, id, &m.message)
		}
		m.told[id] = true
	}
}

// incidentsOf gives the unresolved incidents of alerts, by their labels, as far as the store knows them.
func (k *keeper) incidentsOf(ctx context.Context, alerts []*types.Alert) map[*types.Alert]string {
	stored := map[*types.Alert]string{}
	ids := make([]string, 0, len(alerts))
	for _, a := range alerts {
		q := alert.Query{Page: state.Page{Limit: 1}}
		for name, value := range a.Labels {
			q.Matchers = append(q.Matchers, alert.Matcher{Name: string(name), Op: alert.MatchEqual, Value: string(value)})
		}
		if list, err := k.store.Alerts(ctx, q); err == nil && len(list.Alerts) > 0 {
			stored[a] = list.Alerts[0].ID
			ids = append(ids, list.Alerts[0].ID)
		}
	}
	cases, err := k.store.Cases(ctx, ids)
	if err != nil {
		return nil
	}
	incidents := map[*types.Alert]string{}
	for a, id := range stored {
		if c, ok := cases[id]; ok && c.Incident != nil {
			incidents[a] = c.Incident.ID
		}
	}
	return incidents
}
