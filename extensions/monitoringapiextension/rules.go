package monitoringapiextension

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/prometheus/rules"
	apiv1 "github.com/prometheus/prometheus/web/api/v1"
	"go.opentelemetry.io/collector/component"
)

// RulesAPI is what the alert_rule processor wants of this extension.
type RulesAPI interface {
	// ServeRules shows the rules and alerts of one more owner in /prometheus/api/v1/rules and /alerts, beside those
	// of the others, until detach is called. An owner that is there already gets an error.
	ServeRules(owner component.ID, retriever apiv1.RulesRetriever) (detach func(), err error)
}

// attachedRules merges the rules of all owners.
type attachedRules struct {
	mu     sync.RWMutex
	owners map[component.ID]apiv1.RulesRetriever
}

var _ apiv1.RulesRetriever = (*attachedRules)(nil)

func (a *attachedRules) attach(owner component.ID, retriever apiv1.RulesRetriever) (detach func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, twice := a.owners[owner]; twice {
		return nil, fmt.Errorf("processor %q is in more than one pipeline, and would evaluate its rules in each: "+
			"keep one of them, and send what it emits to several exporters", owner)
	}
	if a.owners == nil {
		a.owners = map[component.ID]apiv1.RulesRetriever{}
	}
	a.owners[owner] = retriever
	return sync.OnceFunc(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.owners, owner)
	}), nil
}

// RuleGroups gives the groups of all owners, ordered by file and name as in Prometheus.
func (a *attachedRules) RuleGroups() []*rules.Group {
	a.mu.RLock()
	defer a.mu.RUnlock()
	var groups []*rules.Group
	for _, retriever := range a.owners {
		groups = append(groups, retriever.RuleGroups()...)
	}
	slices.SortStableFunc(groups, func(x, y *rules.Group) int {
		if byFile := strings.Compare(x.File(), y.File()); byFile != 0 {
			return byFile
		}
		return strings.Compare(x.Name(), y.Name())
	})
	return groups
}

// AlertingRules gives those of all owners.
func (a *attachedRules) AlertingRules() []*rules.AlertingRule {
	a.mu.RLock()
	defer a.mu.RUnlock()
	var all []*rules.AlertingRule
	for _, retriever := range a.owners {
		all = append(all, retriever.AlertingRules()...)
	}
	return all
}
