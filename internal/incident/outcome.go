package incident

import "github.com/quantivista/monitoring/internal/alert"

// Outcome counts what became of reports: changes of alerts, and what these did to incidents.
type Outcome struct {
	// AlertsExpired are among AlertsResolved.
	AlertsFired, AlertsResolved, AlertsFlapped, AlertsWorsened, AlertsExpired int
	// AlertsMuted began while they were muted; AlertsReleased fire on behind the end of that.
	AlertsMuted, AlertsReleased int
	// AlertsUpstream joined the incident of a service that theirs calls.
	AlertsUpstream int

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
	if c.Expired() {
		o.AlertsExpired++
	}
	if c.Worsened() {
		o.AlertsWorsened++
	}
}

func (o *Outcome) add(other *Outcome) {
	o.AlertsFired += other.AlertsFired
	o.AlertsResolved += other.AlertsResolved
	o.AlertsFlapped += other.AlertsFlapped
	o.AlertsWorsened += other.AlertsWorsened
	o.AlertsExpired += other.AlertsExpired
	o.AlertsMuted += other.AlertsMuted
	o.AlertsReleased += other.AlertsReleased
	o.AlertsUpstream += other.AlertsUpstream
	o.Opened += other.Opened
	o.Reopened += other.Reopened
	o.Escalated += other.Escalated
	o.Mitigated += other.Mitigated
	o.Resolved += other.Resolved
}
