package incident

import "github.com/quantivista/monitoring/internal/alert"

// Outcome counts what became of reports: changes of alerts, and what these did to incidents.
type Outcome struct {
	AlertsFired, AlertsResolved, AlertsFlapped, AlertsWorsened int

	Opened, Reopened, Escalated, Mitigated, Resolved int
}

func (o *Outcome) count(c *alert.Change) {
	switch {
	case c.Flapped():
		o.AlertsFlapped++
	case began(c):
		o.AlertsFired++
	}
	if c.Resolved() {
		o.AlertsResolved++
	}
	if c.Worsened() {
		o.AlertsWorsened++
	}
}
