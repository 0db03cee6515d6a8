package metricstoreextension

import "sync"

// gate counts who uses a TSDB, so that it is closed after the last of them: a closed TSDB has unmapped the
// files that a query may still read.
type gate struct {
	mu     sync.Mutex
	users  int
	closed bool
	empty  chan struct{}
}

func newGate() *gate { return &gate{empty: make(chan struct{})} }

// enter says whether the gate is open. Who got in must leave once.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.users++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.users--
	if g.closed && g.users == 0 {
		close(g.empty)
	}
}

// close lets nobody in any more. The channel it gives is closed once everybody left.
func (g *gate) close() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.closed = true
		if g.users == 0 {
			close(g.empty)
		}
	}
	return g.empty
}
