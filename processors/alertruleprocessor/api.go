package alertruleprocessor

import (
	"fmt"

	"github.com/prometheus/prometheus/rules"
	"go.opentelemetry.io/collector/component"

	"github.com/quantivista/monitoring/extensions/monitoringapiextension"
	"github.com/quantivista/monitoring/internal/hostext"
)

// attach shows the rules in the API, where the configuration names one.
func (p *alertRule) attach(host component.Host, manager *rules.Manager) (detach func(), err error) {
	if p.cfg.API == (component.ID{}) {
		return func() {}, nil
	}
	server, err := hostext.Find[monitoringapiextension.RulesAPI](host, p.cfg.API)
	if err != nil {
		return nil, fmt.Errorf("\"api\": %w", err)
	}
	return server.ServeRules(p.set.ID, manager)
}
