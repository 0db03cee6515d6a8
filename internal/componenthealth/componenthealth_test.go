package componenthealth_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"

	"github.com/quantivista/monitoring/internal/componenthealth"
)

// statusHost keeps what is reported to it.
type statusHost struct {
	component.Host
	events []*componentstatus.Event
}

func (h *statusHost) Report(e *componentstatus.Event) { h.events = append(h.events, e) }

func TestChangesAreReportedOnce(t *testing.T) {
	host := &statusHost{Host: componenttest.NewNopHost()}
	h := componenthealth.NewReporter(host)
	full, other := errors.New("full"), errors.New("other")
	h.Report(nil)
	h.Report(nil)
	h.Report(full)
	h.Report(full)
	h.Report(other)
	h.Report(nil)
	h.Permanent(full)
	h.Fatal(other)
	var got []componentstatus.Status
	for _, e := range host.events {
		got = append(got, e.Status())
	}
	assert.Equal(t, []componentstatus.Status{
		componentstatus.StatusOK,
		componentstatus.StatusRecoverableError,
		componentstatus.StatusRecoverableError,
		componentstatus.StatusOK,
		componentstatus.StatusPermanentError,
		componentstatus.StatusFatalError,
	}, got)
}
