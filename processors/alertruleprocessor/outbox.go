package alertruleprocessor

import (
	"sync"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
)

// episode is one time that an alert fires, from its start to its end. Of an episode only the latest report matters:
// it tells the start and, once there is one, the end.
type episode struct {
	fingerprint string
	startsAt    time.Time
}

// outbox holds the alerts that the next component has not taken yet, the latest report of each episode, in the order
// in which the episodes came.
type outbox struct {
	mu     sync.Mutex
	most   int
	order  []episode
	latest map[episode]alert.Alert
}

func newOutbox(most int) *outbox {
	return &outbox{most: most, latest: map[episode]alert.Alert{}}
}

// put adds reports. It returns how many had no room: rules report again what fires, and for some time what is
// resolved.
func (o *outbox) put(alerts ...alert.Alert) (dropped int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, a := range alerts {
		key := episodeOf(&a)
		old, known := o.latest[key]
		switch {
		case known && old.UpdatedAt.After(a.UpdatedAt):
		case known:
			o.latest[key] = a
		case len(o.order) >= o.most:
			dropped++
		default:
			o.order = append(o.order, key)
			o.latest[key] = a
		}
	}
	return dropped
}

// take removes the oldest, at most this many.
func (o *outbox) take(most int) []alert.Alert {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := min(most, len(o.order))
	taken := make([]alert.Alert, n)
	for i, key := range o.order[:n] {
		taken[i] = o.latest[key]
		delete(o.latest, key)
	}
	o.order = append(o.order[:0], o.order[n:]...)
	return taken
}

// giveBack puts what was taken to the front again, but for what has a later report by now.
func (o *outbox) giveBack(taken []alert.Alert) {
	o.mu.Lock()
	defer o.mu.Unlock()
	order := make([]episode, 0, len(taken)+len(o.order))
	for i := range taken {
		key := episodeOf(&taken[i])
		if _, later := o.latest[key]; !later {
			order = append(order, key)
			o.latest[key] = taken[i]
		}
	}
	o.order = append(order, o.order...)
}

func (o *outbox) len() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.order)
}

func episodeOf(a *alert.Alert) episode {
	return episode{fingerprint: a.Fingerprint(), startsAt: a.StartsAt}
}
