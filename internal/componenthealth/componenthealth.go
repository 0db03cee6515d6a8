// Package componenthealth reports the health of a component to the collector when it changes, and only then.
package componenthealth

import (
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// Reporter reports changes of a component's status, once each. It is for one goroutine.
type Reporter struct {
	host component.Host
	last componentstatus.Status
	text string
}

// NewReporter makes a Reporter that has reported nothing yet.
func NewReporter(host component.Host) *Reporter { return &Reporter{host: host} }

// Report an error that passes, or nil for good health.
func (r *Reporter) Report(err error) {
	if err == nil {
		r.event(componentstatus.NewEvent(componentstatus.StatusOK), "")
		return
	}
	r.event(componentstatus.NewRecoverableErrorEvent(err), err.Error())
}

// Permanent reports an error that only a restart, or a human, ends.
func (r *Reporter) Permanent(err error) {
	r.event(componentstatus.NewPermanentErrorEvent(err), err.Error())
}

// Fatal reports an error that ends the collector.
func (r *Reporter) Fatal(err error) {
	r.event(componentstatus.NewFatalErrorEvent(err), err.Error())
}

func (r *Reporter) event(e *componentstatus.Event, text string) {
	if e.Status() == r.last && text == r.text {
		return
	}
	r.last, r.text = e.Status(), text
	componentstatus.ReportStatus(r.host, e)
}
