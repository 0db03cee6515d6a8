package metricstoreextension

import (
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// health reports changes of the store's status, once each.
type health struct {
	host component.Host
	last componentstatus.Status
	text string
}

// report an error that passes, or nil for good health.
func (h *health) report(err error) {
	if err == nil {
		h.event(componentstatus.NewEvent(componentstatus.StatusOK), "")
		return
	}
	h.event(componentstatus.NewRecoverableErrorEvent(err), err.Error())
}

// permanent reports an error that only a restart, or a human, ends.
func (h *health) permanent(err error) {
	h.event(componentstatus.NewPermanentErrorEvent(err), err.Error())
}

func (h *health) event(e *componentstatus.Event, text string) {
	if e.Status() == h.last && text == h.text {
		return
	}
	h.last, h.text = e.Status(), text
	componentstatus.ReportStatus(h.host, e)
}

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
