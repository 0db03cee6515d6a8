package alertmanagerextension

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/types"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/maintenance"
	"github.com/quantivista/monitoring/internal/notification"
)

// quiet knows what Alertmanager does not: alerts in a maintenance window, and those that someone has acknowledged.
type quiet struct {
	windows      *maintenance.Board
	acknowledged *incident.AcknowledgedAlerts
	logger       *slog.Logger

	mu      sync.Mutex
	failing bool
}

// acknowledgedAge is how old what is known of acknowledgements may be: many groups ask in the same moment.
const acknowledgedAge = time.Second

func newQuiet(store stateStore, logger *slog.Logger) *quiet {
	q := &quiet{logger: logger}
	q.windows = maintenance.NewBoard(store, func(w maintenance.Window, err error) {
		logger.Error("A maintenance window cannot be read, and mutes nothing", "window", w.ID, "name", w.Name, "err", err)
	})
	q.acknowledged = &incident.AcknowledgedAlerts{Reader: store, MaxAge: acknowledgedAge, Now: time.Now}
	return q
}

// inMaintenance gives what answers by which windows an alert is muted now. While the store is away that is what was known
// before: a maintenance of the store itself pages nobody.
func (q *quiet) inMaintenance(ctx context.Context) func(*alert.Alert) []alert.Mute {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	mutes, err := q.windows.Muting(ctx, now)
	if err != nil && !q.failing && ctx.Err() == nil {
		q.logger.Warn("Maintenance windows cannot be read for now: those that were known before hold", "err", err)
	}
	q.failing = err != nil
	if err != nil {
		return q.windows.Known(now)
	}
	return mutes
}

// acknowledgement that holds for a firing alert; nil for none. Where that cannot be known people are told.
func (q *quiet) acknowledgement(ctx context.Context, fingerprint string) *incident.Acknowledgement {
	a, err := q.acknowledged.Of(ctx, fingerprint)
	if err != nil {
		return nil
	}
	return a
}

// holdBack leaves out of a group's turn what nobody is to be told of now. An alert that has ended is told where somebody
// was told that it fires.
func (k *keeper) holdBack(ctx context.Context, alerts []*types.Alert) []*types.Alert {
	mutes := k.quiet.inMaintenance(ctx)
	receiver, _ := notify.ReceiverName(ctx)
	group, _ := notify.GroupKey(ctx)
	return slices.DeleteFunc(slices.Clone(alerts), func(a *types.Alert) bool {
		muted := len(mutes(&alert.Alert{Labels: textsOf(a.Labels)})) > 0
		if a.Resolved() {
			return muted && !k.toldToFire(receiver, group, a)
		}
		return muted || k.quiet.acknowledgement(ctx, a.Fingerprint().String()) != nil
	})
}

// toldToFire says whether any integration of a receiver was told that an alert fires, and not yet that it ended.
func (k *keeper) toldToFire(receiver, group string, a *types.Alert) bool {
	hash := logHash(textsOf(a.Labels))
	for _, r := range k.engine.Receivers() {
		if r.Name != receiver {
			continue
		}
		for _, i := range r.Integrations {
			entry, err := lastEntry(k.engine.Notifications(), &notification.Target{Receiver: receiver, Integration: i.Type, Index: i.Index, GroupKey: group})
			if err == nil && entry != nil && slices.Contains(entry.FiringAlerts, hash) {
				return true
			}
		}
	}
	return false
}
