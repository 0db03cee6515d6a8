package metricstoreextension

import (
	"context"

	"github.com/prometheus/prometheus/promql"
)

// queryTracker lets so many queries run at once. Prometheus' own also writes them to a mapped file, to log what
// ran when it crashed; on a full disk that file kills the process with SIGBUS.
type queryTracker chan struct{}

var _ promql.QueryTracker = queryTracker(nil)

func newQueryTracker(maxConcurrent int) queryTracker {
	return make(queryTracker, maxConcurrent)
}

// GetMaxConcurrent gives how many may run.
func (t queryTracker) GetMaxConcurrent() int { return cap(t) }

// Insert waits for its turn, or for the end of ctx.
func (t queryTracker) Insert(ctx context.Context, _ string) (int, error) {
	select {
	case t <- struct{}{}:
		return 0, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// Delete ends what Insert began.
func (t queryTracker) Delete(int) { <-t }

// Close has nothing to close.
func (queryTracker) Close() error { return nil }
