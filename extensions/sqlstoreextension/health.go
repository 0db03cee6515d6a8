package sqlstoreextension

import (
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

// fatal reports an error that ends the collector.
func (h *health) fatal(err error) {
	h.event(componentstatus.NewFatalErrorEvent(err), err.Error())
}

func (h *health) event(e *componentstatus.Event, text string) {
	if e.Status() == h.last && text == h.text {
		return
	}
	h.last, h.text = e.Status(), text
	componentstatus.ReportStatus(h.host, e)
}
