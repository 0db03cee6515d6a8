package e2e

import (
	"testing"
	"time"
)

const (
	// patience is how long a test waits for what must happen; generous, since it says nothing about speed.
	patience = 90 * time.Second
	pollEach = 50 * time.Millisecond
)

// await tries until probe gives no error. It fails with the last error.
func await(t *testing.T, what string, probe func() error) {
	t.Helper()
	tick := time.NewTicker(pollEach)
	defer tick.Stop()
	deadline := time.After(patience)
	for {
		err := probe()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not within %s: %v", what, patience, err)
		}
	}
}
