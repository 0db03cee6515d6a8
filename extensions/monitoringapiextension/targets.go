package monitoringapiextension

import (
	"context"
	"fmt"
	"strings"

	apiv1 "github.com/prometheus/prometheus/web/api/v1"

	"github.com/quantivista/monitoring/api"
)

// ListScrapeTargets tells the active targets of all prometheus receivers.
func (s *restServer) ListScrapeTargets(ctx context.Context, _ api.ListScrapeTargetsRequestObject) (api.ListScrapeTargetsResponseObject, error) {
	found, missing, err := s.targets.Targets(ctx, map[string][]string{"state": {"active"}})
	if err != nil {
		return nil, err
	}
	answer := api.ListScrapeTargets200JSONResponse{Body: make([]api.ScrapeTarget, 0, len(found.ActiveTargets))}
	for _, t := range found.ActiveTargets {
		answer.Body = append(answer.Body, toScrapeTarget(t))
	}
	if len(missing) > 0 {
		warnings := make([]string, len(missing))
		for i, m := range missing {
			warnings[i] = fmt.Sprintf("199 - %q", m)
		}
		answer.Headers.Warning = new(strings.Join(warnings, ", "))
	}
	return answer, nil
}

func toScrapeTarget(t *apiv1.Target) api.ScrapeTarget {
	target := api.ScrapeTarget{
		TargetURL:          t.ScrapeURL,
		Health:             api.ScrapeTargetHealth(t.Health),
		Labels:             new(t.Labels.Map()),
		ScrapeInterval:     new(t.ScrapeInterval),
		ScrapeTimeout:      new(t.ScrapeTimeout),
		ScrapePool:         new(t.ScrapePool),
		LastScrapeDuration: new(t.LastScrapeDuration),
	}
	if !target.Health.Valid() {
		target.Health = api.Unknown
	}
	if t.LastError != "" {
		target.LastError = new(t.LastError)
	}
	if !t.LastScrape.IsZero() {
		target.LastScrape = new(t.LastScrape)
	}
	return target
}
