package e2e

import (
	"fmt"
	"slices"
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

// atLeast gives an error while a count is too small.
func atLeast(got, want int) error {
	if got < want {
		return fmt.Errorf("%d of %d", got, want)
	}
	return nil
}

// missing gives an error while one of the wanted is not among the got.
func missing(got []string, wanted ...string) error {
	for _, want := range wanted {
		if !slices.Contains(got, want) {
			return fmt.Errorf("no %q among %q", want, got)
		}
	}
	return nil
}
