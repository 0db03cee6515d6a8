package promapi

import (
	"context"
	"fmt"
	"net/url"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/scrape"
	apiv1 "github.com/prometheus/prometheus/web/api/v1"
)

// retrievers answer for the parts of a Prometheus that are not here.
type retrievers struct {
	rulesOf  func(context.Context) apiv1.RulesRetriever
	metadata metadataTarget
}

func newRetrievers(o Options) retrievers {
	target := scrape.NewTarget(labels.EmptyLabels(), &config.ScrapeConfig{}, model.LabelSet{}, model.LabelSet{})
	target.SetMetadataStore(o.Metadata)
	return retrievers{rulesOf: o.Rules, metadata: metadataTarget{target: target}}
}

// metadataRequest marks the context of a request for /metadata.
type metadataRequest struct{}

// targets gives the target that knows all metadata, for /metadata only: no other endpoint may list it.
func (r retrievers) targets(ctx context.Context) apiv1.TargetRetriever {
	if ctx.Value(metadataRequest{}) != nil {
		return r.metadata
	}
	return noTargets{}
}

func (r retrievers) rules(ctx context.Context) apiv1.RulesRetriever {
	if r.rulesOf != nil {
		return r.rulesOf(ctx)
	}
	return noRules{}
}

// metadataTarget is one target that was never scraped and knows the metadata of every family. The library
// collects /metadata from the scrape targets.
type metadataTarget struct {
	noTargets
	target *scrape.Target
}

func (m metadataTarget) TargetsActive() map[string][]*scrape.Target {
	return map[string][]*scrape.Target{"": {m.target}}
}

type noTargets struct{}

func (noTargets) ScrapePools() []string                       { return []string{} }
func (noTargets) TargetsActive() map[string][]*scrape.Target  { return map[string][]*scrape.Target{} }
func (noTargets) TargetsDropped() map[string][]*scrape.Target { return map[string][]*scrape.Target{} }
func (noTargets) TargetsDroppedCounts() map[string]int        { return map[string]int{} }

func (noTargets) ScrapePoolConfig(pool string) (*config.ScrapeConfig, error) {
	return nil, fmt.Errorf("scrape pool %q not found", pool)
}

type noRules struct{}

func (noRules) RuleGroups() []*rules.Group           { return nil }
func (noRules) AlertingRules() []*rules.AlertingRule { return nil }

type noAlertmanagers struct{}

func (noAlertmanagers) Alertmanagers() []*url.URL        { return nil }
func (noAlertmanagers) DroppedAlertmanagers() []*url.URL { return nil }
