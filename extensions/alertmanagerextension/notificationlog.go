package alertmanagerextension

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/nflog/nflogpb"
	"github.com/prometheus/alertmanager/notify"

	"github.com/quantivista/monitoring/internal/alertmanager"
	"github.com/quantivista/monitoring/internal/notification"
)

// keptLog is a notification log whose entries are stored before the dispatcher goes on.
type keptLog struct {
	notify.NotificationLog
	keeper *keeper
}

func (k *keeper) notificationLog(inner notify.NotificationLog) notify.NotificationLog {
	return &keptLog{NotificationLog: inner, keeper: k}
}

// Log implements notify.NotificationLog. The message has been sent: where the store is away that is known in memory,
// and stored once the store is back. It is no error, which would have the whole group sent again.
func (l *keptLog) Log(r *nflogpb.Receiver, groupKey string, firing, resolved []uint64, data *nflog.Store, expiry time.Duration) error {
	if err := l.NotificationLog.Log(r, groupKey, firing, resolved, data, expiry); err != nil {
		return err
	}
	logged, err := l.Query(nflog.QGroupKey(groupKey), nflog.QReceiver(r))
	if err != nil || len(logged) != 1 {
		return fmt.Errorf("look up what was just logged: %w", err)
	}
	keep := l.keeper.cfg.Retention
	if expiry > 0 {
		keep = min(keep, expiry)
	}
	entry, err := notificationEntry(&nflogpb.MeshEntry{Entry: logged[0], ExpiresAt: logged[0].Timestamp.Add(keep)})
	if err != nil {
		return err
	}
	l.keeper.saveNotification(entry, l.keeper.takeSent(messageOf(logged[0])))
	return nil
}

// saveNotification stores an entry, and the notification that it is from, if there is one.
func (k *keeper) saveNotification(entry alertmanager.Entry, sent *notification.Notification) {
	ctx, cancel := context.WithTimeout(context.Background(), saveTimeout)
	defer cancel()
	save := func() error { return k.save(ctx, entry) }
	if sent != nil {
		save = func() error { return k.store.SaveSent(ctx, sent, entry) }
	}
	k.mu.Lock()
	k.unsaved[entry.Key] = entry
	k.mu.Unlock()
	err := save()
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case err != nil && sent != nil:
		k.outcomes[sent.ID] = sent
	case err == nil && k.unsaved[entry.Key].UpdatedAt.Equal(entry.UpdatedAt):
		delete(k.unsaved, entry.Key)
	}
	if err != nil {
		k.logger.Warn("A notification was sent, and that it was cannot be stored for now: it is sent again after a restart before that", "err", err)
	}
}

// saveNotifications stores what waits.
func (k *keeper) saveNotifications(ctx context.Context) error {
	k.mu.Lock()
	waiting := make([]alertmanager.Entry, 0, len(k.unsaved))
	for _, entry := range k.unsaved {
		waiting = append(waiting, entry)
	}
	k.mu.Unlock()
	return k.save(ctx, waiting...)
}

// save stores notifications that then need no longer wait.
func (k *keeper) save(ctx context.Context, entries ...alertmanager.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	if err := k.store.SaveEntries(ctx, entries...); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, entry := range entries {
		if k.unsaved[entry.Key].UpdatedAt.Equal(entry.UpdatedAt) {
			delete(k.unsaved, entry.Key)
		}
	}
	return nil
}
