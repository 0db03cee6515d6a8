package metricstoreextension

import (
	"fmt"
	"time"
)

// calmAfter is how long nothing must have failed for the TSDB to be well again. It tries its work again at
// least once a minute.
const calmAfter = 3 * time.Minute

// failureWatch follows the counters of failed background work.
type failureWatch struct {
	seen   map[string]float64
	failed time.Time
	what   string
}

// look gives an error from a failure until calmAfter has passed since the last.
func (w *failureWatch) look(now time.Time, value func(counter string) float64) error {
	if w.seen == nil {
		w.seen = map[string]float64{}
	}
	for counter, what := range backgroundFailures {
		v := value(counter)
		if v > w.seen[counter] {
			w.failed, w.what = now, what
		}
		w.seen[counter] = v
	}
	if w.what == "" || now.Sub(w.failed) >= calmAfter {
		w.what = ""
		return nil
	}
	return fmt.Errorf("the TSDB's %s failed at %s and will be tried again; its reason is in the log", w.what, w.failed.UTC().Format(time.RFC3339))
}
