package incidentexporter

import (
	"sync"
	"time"
)

// expiry knows when alerts may be ended that nobody reports any more. Reports that are only late, because this process
// or the store was away, must come first: for a grace after each of that nothing expires.
type expiry struct {
	grace time.Duration
	// jump is how far apart two sweeps are, by the wall clock, where the process did not run in between or the clock
	// was set.
	jump time.Duration

	mu       sync.Mutex
	since    time.Time // by the monotonic clock, when the last trouble ended
	lastTick time.Time // by the wall clock
	marked   time.Time // when a mark went into the queue; zero where none is in it
}

func newExpiry(grace, interval time.Duration) *expiry {
	return &expiry{grace: grace, jump: 2*interval + 10*time.Second}
}

// begin the grace anew.
func (x *expiry) begin(now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.since, x.lastTick = now, now.Round(0)
}

// tick tells that a sweep begins. Where the last one is too long ago the machine slept, or the clock was set: reports
// are late, too.
func (x *expiry) tick(now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	wall := now.Round(0)
	if wall.Sub(x.lastTick) > x.jump {
		x.since = now
	}
	x.lastTick = wall
}

// due says that the grace is over.
func (x *expiry) due(now time.Time) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return now.Sub(x.since) >= x.grace
}

// markLife is when a mark that has not come through counts as lost, as with a batch that a queue has given up. Two marks
// do no harm.
const markLife = 10 * time.Minute

// mark notes that a mark goes into the queue, where none is in it.
func (x *expiry) mark(now time.Time) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.marked.IsZero() && now.Sub(x.marked) < markLife {
		return false
	}
	x.marked = now
	return true
}

func (x *expiry) unmark() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.marked = time.Time{}
}
