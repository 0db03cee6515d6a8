package alertmanagerextension

import (
	"context"
	"slices"
	"time"

	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/nflog/nflogpb"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/types"

	"github.com/quantivista/monitoring/internal/notification"
)

// doubt is a notification of which nobody knows whether it arrived, since its sender died in an attempt. While its alerts
// fire it is sent again. Of one that has ended by then the end is told, as if the receiver knew that it fired: maybe it
// does.
type doubt struct {
	target notification.Target
	firing map[string]bool // fingerprints
	since  time.Time
}

// doubt takes the notifications of which that holds, and gives them.
func (k *keeper) doubt(open []notification.Notification) []notification.Notification {
	open = slices.DeleteFunc(open, func(n notification.Notification) bool { return n.State != notification.Sending || n.Sender == k.name })
	for i := range open {
		k.addDoubt(&open[i].Target, &open[i].Content, open[i].AttemptedAt)
	}
	return open
}

func (k *keeper) addDoubt(target *notification.Target, content *notification.Content, since time.Time) {
	d := &doubt{target: *target, firing: map[string]bool{}, since: since}
	for _, fingerprint := range content.Firing {
		d.firing[fingerprint] = true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.doubts[*target] = d
}

// flushing takes the alerts of a group and gives those that go through the pipeline.
func (k *keeper) flushing(ctx context.Context, alerts []*types.Alert) []*types.Alert {
	k.presume(ctx, alerts)
	return k.holdBack(ctx, alerts)
}

// presume looks at a group before it goes through the pipeline.
func (k *keeper) presume(ctx context.Context, alerts []*types.Alert) {
	receiver, _ := notify.ReceiverName(ctx)
	group, _ := notify.GroupKey(ctx)
	k.mu.Lock()
	var doubts []*doubt
	for target, d := range k.doubts {
		if target.Receiver == receiver && target.GroupKey == group {
			doubts = append(doubts, d)
		}
	}
	k.mu.Unlock()
	for _, d := range doubts {
		if err := k.settle(d, alerts); err != nil {
			k.logger.Error("The notification log cannot be read or written", "err", err)
		}
	}
}

// settle writes into the notification log which alerts have ended that may be known to fire.
func (k *keeper) settle(d *doubt, alerts []*types.Alert) error {
	log, to := k.engine.Notifications(), receiverOf(&d.target)
	entry, err := lastEntry(log, &d.target)
	if err != nil {
		return err
	}
	if entry == nil {
		entry = &nflogpb.Entry{}
	}
	var ended []uint64
	if !entry.Timestamp.After(d.since) { // else it is known by now what has arrived
		for _, a := range alerts {
			if fingerprint := a.Fingerprint().String(); a.Resolved() && d.firing[fingerprint] {
				ended = append(ended, logHash(textsOf(a.Labels)))
			}
		}
		if len(ended) == 0 {
			return nil
		}
		if err := log.Log(to, d.target.GroupKey, append(ended, entry.FiringAlerts...), entry.ResolvedAlerts, nflog.NewStore(entry), 0); err != nil {
			return err
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.doubts[d.target] == d {
		delete(k.doubts, d.target)
	}
	return nil
}
