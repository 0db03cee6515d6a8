package alertreceiver

import (
	"sync"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
)

// maxStarts bounds what is remembered. An alert beyond it begins anew each time that it is sent.
const maxStarts = 50_000

// starts remembers since when alerts fire that are sent without a start: each time that one is sent it would begin anew.
// Alertmanager has its memory of alerts for that.
type starts struct {
	mu    sync.Mutex
	known map[string]span // by fingerprint
	// next is when to forget what is over.
	next time.Time
}

type span struct {
	at time.Time
	// until is when the alert is over unless it is sent again; zero for never.
	until time.Time
}

func newStarts() *starts { return &starts{known: map[string]span{}} }

// settle gives an alert without a start that of the same alert before, while that is not over.
func (s *starts) settle(a *alert.Alert, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.After(s.next) {
		for fingerprint, known := range s.known {
			if known.over(now) {
				delete(s.known, fingerprint)
			}
		}
		s.next = now.Add(time.Minute)
	}
	fingerprint := a.Fingerprint()
	known, is := s.known[fingerprint]
	if is && !known.over(now) && known.at.Before(a.StartsAt) {
		a.StartsAt = known.at
	}
	switch {
	case a.Status == alert.Resolved:
		delete(s.known, fingerprint)
	case is || len(s.known) < maxStarts:
		s.known[fingerprint] = span{at: a.StartsAt, until: a.ExpiresAt}
	}
}

func (s span) over(now time.Time) bool { return !s.until.IsZero() && s.until.Before(now) }
