package alertmanagerextension

import (
	"errors"
	"time"

	"github.com/prometheus/alertmanager/nflog/nflogpb"
	"github.com/prometheus/common/model"

	"github.com/quantivista/monitoring/extensions/alertmanagerextension/internal/embedded"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/notification"
)

// notifications are what the notification log says of alerts, by the hash that it knows them by.
type notifications struct {
	// unresolved are alerts that some integration was told to fire, and not yet to have ended.
	unresolved map[uint64]bool
	// since is the time of the earliest entry with one of them.
	since time.Time
	// resolved is when an alert was last told to have ended.
	resolved map[uint64]time.Time
	// doubtful are the fingerprints of alerts of which nobody knows whether somebody was told that they fire.
	doubtful map[string]bool
}

// doubt takes notifications whose sender died in an attempt.
func (n *notifications) doubt(open []notification.Notification) {
	for i := range open {
		if n.since.IsZero() || open[i].BeganAt.Before(n.since) {
			n.since = open[i].BeganAt
		}
		for _, fingerprint := range open[i].Firing {
			n.doubtful[fingerprint] = true
		}
	}
}

// waiting says that somebody may wait to be told that an alert ended.
func (n *notifications) waiting() bool { return len(n.unresolved)+len(n.doubtful) > 0 }

func readNotifications(data []byte) (*notifications, error) {
	n := &notifications{unresolved: map[uint64]bool{}, resolved: map[uint64]time.Time{}, doubtful: map[string]bool{}}
	err := each(data, func(message []byte) error {
		var e nflogpb.MeshEntry
		if err := e.Unmarshal(message); err != nil {
			return err
		}
		if e.Entry == nil {
			return errors.New("read a notification: it is empty")
		}
		n.add(e.Entry)
		return nil
	})
	return n, err
}

func (n *notifications) add(e *nflogpb.Entry) {
	for _, hash := range e.FiringAlerts {
		n.unresolved[hash] = true
	}
	if len(e.FiringAlerts) > 0 && (n.since.IsZero() || e.Timestamp.Before(n.since)) {
		n.since = e.Timestamp
	}
	for _, hash := range e.ResolvedAlerts {
		if e.Timestamp.After(n.resolved[hash]) {
			n.resolved[hash] = e.Timestamp
		}
	}
}

// firing says whether an alert that the store has as firing is to be taken over as such. One that was told to have
// ended after its last report is not: its end did not reach the store before the crash, and to tell that it fires
// would be wrong. Where it does fire its reporter says so again.
func (n *notifications) firing(a *alert.Alert) bool {
	hash := logHash(a.Labels)
	if told, ended := n.resolved[hash]; ended && !n.unresolved[hash] && told.After(a.UpdatedAt) {
		return false
	}
	delete(n.unresolved, hash)
	delete(n.doubtful, a.Fingerprint())
	return true
}

// fits says whether an alert that is not held is to be taken over.
func (n *notifications) fits(a *alert.Alert) bool {
	if a.Status == alert.Firing {
		return n.firing(a)
	}
	return n.resolve(a)
}

// resolve says whether somebody waits, or may wait, to be told that the alert ended, once for each label set: the first is
// the latest.
func (n *notifications) resolve(a *alert.Alert) bool {
	hash, fingerprint := logHash(a.Labels), a.Fingerprint()
	waits := n.unresolved[hash] || n.doubtful[fingerprint]
	delete(n.unresolved, hash)
	delete(n.doubtful, fingerprint)
	return waits
}

// logHash is the hash by which Alertmanager's notification log knows a label set.
func logHash(labels map[string]string) uint64 {
	set := make(model.LabelSet, len(labels))
	for name, value := range labels {
		set[model.LabelName(name)] = model.LabelValue(value)
	}
	return embedded.LogHash(set)
}
