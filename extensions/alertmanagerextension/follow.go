package alertmanagerextension

import (
	"context"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
)

// followBack is how far back changes of alerts are looked for: by so much may clocks of replicas differ, and a
// transaction last.
const followBack = 15 * time.Second

// follow takes over what was written of alerts since it was asked last: by another replica, out of a queue that a crash
// left behind, or since an alert expired. What comes by a pipeline of this process as well comes twice, and changes
// nothing.
func (k *keeper) follow(ctx context.Context) error {
	now := time.Now()
	changed, err := k.store.ChangedAlerts(ctx, k.followed.Add(-followBack), k.versions)
	if err != nil {
		return err
	}
	news, err := k.news(changed)
	if err != nil {
		return err
	}
	if err := k.put(ctx, news); err != nil {
		return err
	}
	for i := range changed {
		k.versions[changed[i].ID], k.seen[changed[i].ID] = changed[i].Version, now
	}
	for id, at := range k.seen {
		if now.Sub(at) > 4*followBack {
			delete(k.seen, id)
			delete(k.versions, id)
		}
	}
	k.followed = now
	return nil
}

// news are the alerts of which the Alertmanager does not know what was written.
func (k *keeper) news(changed []alert.Record) ([]alert.Alert, error) {
	var news []alert.Alert
	var told *notifications
	for i := range changed {
		r := &changed[i]
		if !r.ManualAt.IsZero() {
			continue // What people resolve by hand they do in incidents: whoever was told hears of the alert's own end.
		}
		held, newer := k.engine.Differs(&r.Alert)
		if !held {
			if told == nil {
				var err error
				if told, err = k.told(); err != nil {
					return nil, err
				}
			}
			newer = told.fits(&r.Alert)
		}
		if newer {
			news = append(news, r.Alert)
		}
	}
	return news, nil
}

// told gives what receivers know, or may know.
func (k *keeper) told() (*notifications, error) {
	told, err := notified(k.engine.Notifications())
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, d := range k.doubts {
		for fingerprint := range d.firing {
			told.doubtful[fingerprint] = true
		}
	}
	return told, nil
}
