package alertmanagerextension

import (
	"context"
	"time"

	"github.com/prometheus/common/model"

	"github.com/quantivista/monitoring/internal/notification"
)

// saveOutcome stores what became of an attempt, later where the store is away.
func (k *keeper) saveOutcome(ctx context.Context, n *notification.Notification) {
	k.mu.Lock()
	k.outcomes[n.ID] = n
	k.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	if err := k.storeOutcome(ctx, n); err != nil {
		k.logger.Warn("What became of a notification cannot be stored for now", "notification", n.ID, "state", n.State, "err", err)
	}
}

// keepSent keeps a notification that was sent until the notification log is written.
func (k *keeper) keepSent(n *notification.Notification) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sent[n.ID] = n
}

// takeSent gives the one that was sent and not stored; nil for none.
func (k *keeper) takeSent(id string) *notification.Notification {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.sent[id]
	delete(k.sent, id)
	return n
}

func (k *keeper) storeOutcome(ctx context.Context, n *notification.Notification) error {
	if err := k.store.End(ctx, n); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.outcomes[n.ID] == n {
		delete(k.outcomes, n.ID)
	}
	return nil
}

// saveOutcomes stores what waits.
func (k *keeper) saveOutcomes(ctx context.Context) error {
	k.mu.Lock()
	waiting := make([]*notification.Notification, 0, len(k.outcomes))
	for _, n := range k.outcomes {
		waiting = append(waiting, n)
	}
	k.mu.Unlock()
	for _, n := range waiting {
		if err := k.storeOutcome(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// renew tells the other replicas that this one lives, while it sends. It goes on until ctx ends.
func (k *keeper) renew(ctx context.Context) {
	ticker := time.NewTicker(renewEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			if k.sending.Load() == 0 {
				continue
			}
			if err := k.store.Renew(ctx, k.name, now.Add(lease)); err != nil && ctx.Err() == nil {
				k.logger.Warn("Other replicas cannot be told that notifications are being sent: they may send them, too", "err", err)
			}
		}
	}
}

func textsOf(labels model.LabelSet) map[string]string {
	texts := make(map[string]string, len(labels))
	for name, value := range labels {
		texts[string(name)] = string(value)
	}
	return texts
}
