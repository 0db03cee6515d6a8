package e2e

import (
	"os"
	"testing"
)

// rounds sizes a test that repeats what may go wrong: the short form that every run of the tests has, or the full one
// of `make soak`.
func rounds(t *testing.T, short, full int) int {
	t.Helper()
	if os.Getenv("E2E_SOAK") != "" {
		return full
	}
	return short
}
