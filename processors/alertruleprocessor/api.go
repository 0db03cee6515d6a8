package alertruleprocessor

import (
	"github.com/prometheus/prometheus/rules"
	"go.opentelemetry.io/collector/component"
)

// attach shows the rules in the API, where the configuration names one.
func (p *alertRule) attach(component.Host, *rules.Manager) (detach func(), err error) {
	return func() {}, nil
}
