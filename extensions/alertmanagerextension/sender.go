package alertmanagerextension

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/nflog/nflogpb"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/types"

	"github.com/quantivista/monitoring/extensions/alertmanagerextension/internal/embedded"
	"github.com/quantivista/monitoring/internal/notification"
)

const (
	// lease is how long another replica waits for one that says nothing any more, and renewEvery how often it says so.
	lease      = 8 * time.Second
	renewEvery = 2 * time.Second
	// busyPause is how long an attempt waits to look again what became of another replica's.
	busyPause = 250 * time.Millisecond
	// messageKey is where the notification log keeps which notification an entry is from.
	messageKey = "quantivista_notification"
)

// sender makes attempts to notify by one integration, with a word in the ledger before and after each.
type sender struct {
	keeper      *keeper
	receiver    string
	integration *notify.Integration
	inner       notify.Notifier
}

// send has an integration send by the ledger.
func (k *keeper) send(receiver string, i *notify.Integration, inner notify.Notifier) notify.Notifier {
	return &sender{keeper: k, receiver: receiver, integration: i, inner: inner}
}

// Notify implements notify.Notifier. Where the ledger is away the message is sent all the same.
func (s *sender) Notify(ctx context.Context, alerts ...*types.Alert) (bool, error) {
	n, err := s.begin(ctx, alerts)
	if err != nil || n == nil {
		return true, err
	}
	if data, ok := notify.NflogStore(ctx); ok {
		data.SetStr(messageKey, n.ID)
	}
	s.keeper.sending.Add(1)
	retry, err := s.traced(ctx, n, alerts)
	s.keeper.sending.Add(-1)
	conclude(n, retry, err)
	if err == nil {
		s.keeper.keepSent(n) // The notification log is written next, and both are stored together.
		return false, nil
	}
	s.keeper.saveOutcome(ctx, n)
	return retry, err
}

// conclude notes what became of an attempt.
func conclude(n *notification.Notification, retry bool, err error) {
	now := time.Now()
	n.LeasedUntil, n.EndedAt, n.Reason = time.Time{}, now, ""
	switch {
	case err == nil:
		n.State = notification.Sent
	case retry:
		n.State, n.Reason, n.EndedAt = notification.Retrying, err.Error(), time.Time{}
	default:
		n.State, n.Reason = notification.Failed, err.Error()
	}
}

// begin stores the intent, and waits for its turn where another replica notifies the target. It gives nil where the
// message has arrived already.
func (s *sender) begin(ctx context.Context, alerts []*types.Alert) (*notification.Notification, error) {
	intent := s.intent(ctx, alerts)
	ticker := time.NewTicker(busyPause)
	defer ticker.Stop()
	for {
		// What others have notified is to be known, once it is our turn. What cannot be read now is in the ledger.
		_ = s.keeper.pull(ctx)
		var judged error
		n, err := s.keeper.store.Begin(ctx, *intent, func(last *notification.Notification) (due bool) {
			due, judged = s.due(ctx, intent, last, alerts)
			return due || judged != nil
		})
		switch {
		case err == nil && judged == nil:
			return n, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case errors.Is(err, notification.ErrBusy):
			s.keeper.addDoubt(&intent.Target, &intent.Content, time.Now())
		default:
			s.keeper.logger.Warn("The ledger of notifications is away: notifying without it. Another replica may do so, too", "err", errors.Join(err, judged))
			return s.unledgered(intent), nil
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-ticker.C:
		}
	}
}

// intent reads the context of the pipeline.
func (s *sender) intent(ctx context.Context, alerts []*types.Alert) *notification.Intent {
	groupKey, _ := notify.GroupKey(ctx) // The library itself fails without one, before.
	var firing, resolved []string
	for _, a := range alerts {
		if a.Resolved() {
			resolved = append(resolved, a.Fingerprint().String())
		} else {
			firing = append(firing, a.Fingerprint().String())
		}
	}
	return &notification.Intent{
		Target: notification.Target{
			Receiver: s.receiver, Integration: s.integration.Name(), Index: s.integration.Index(), GroupKey: groupKey,
		},
		Content: notification.NewContent(firing, resolved), Sender: s.keeper.name, Lease: lease,
	}
}

func (s *sender) unledgered(intent *notification.Intent) *notification.Notification {
	now := time.Now()
	return &notification.Notification{
		ID: uuid.Must(uuid.NewV7()).String(), Target: intent.Target, Content: intent.Content, State: notification.Sending,
		Attempts: 1, Sender: intent.Sender, LeasedUntil: now.Add(lease), BeganAt: now, AttemptedAt: now,
	}
}

// due judges again what the pipeline has judged by an older state of the notification log: by what is newer, the log or
// the ledger. The ledger is where a replica died before it could write the log.
func (s *sender) due(ctx context.Context, intent *notification.Intent, last *notification.Notification, alerts []*types.Alert) (bool, error) {
	entry, err := lastEntry(s.keeper.engine.Notifications(), &intent.Target)
	if err != nil {
		return true, err
	}
	if last != nil && (entry == nil || messageOf(entry) != last.ID && last.EndedAt.After(entry.Timestamp)) {
		entry = entryOf(last, alerts)
	}
	return embedded.Due(ctx, entry, s.integration, receiverOf(&intent.Target), alerts...)
}

func receiverOf(t *notification.Target) *nflogpb.Receiver {
	return &nflogpb.Receiver{GroupName: t.Receiver, Integration: t.Integration, Idx: uint32(t.Index)}
}

// lastEntry gives what the notification log has of a target; nil for nothing.
func lastEntry(log *nflog.Log, t *notification.Target) (*nflogpb.Entry, error) {
	logged, err := log.Query(nflog.QGroupKey(t.GroupKey), nflog.QReceiver(receiverOf(t)))
	if errors.Is(err, nflog.ErrNotFound) || err == nil && len(logged) == 0 {
		return nil, nil //nolint:nilnil // nothing is what there mostly is
	}
	if err != nil {
		return nil, err
	}
	return logged[0], nil
}

func messageOf(entry *nflogpb.Entry) string {
	id, _ := nflog.NewStore(entry).GetStr(messageKey)
	return id
}

// entryOf gives the entry that the notification log would have, as far as it says something about these alerts.
func entryOf(n *notification.Notification, alerts []*types.Alert) *nflogpb.Entry {
	hashes := make(map[string]uint64, len(alerts))
	for _, a := range alerts {
		hashes[a.Fingerprint().String()] = logHash(textsOf(a.Labels))
	}
	of := func(fingerprints []string) []uint64 {
		known := make([]uint64, len(fingerprints))
		for i, f := range fingerprints {
			known[i] = hashes[f] // 0 for one that is no more in the group
		}
		return known
	}
	return &nflogpb.Entry{FiringAlerts: of(n.Firing), ResolvedAlerts: of(n.Resolved), Timestamp: n.EndedAt}
}
