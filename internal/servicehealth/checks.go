package servicehealth

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/promql"
	"golang.org/x/sync/errgroup"
)

// check asks the queries of the rules. One that fails degrades its service: it can no longer be told to be well. It
// fails only itself, unless ctx ends.
func (a *Assessor) check(ctx context.Context, at time.Time, found findings) error {
	answers := make([]promql.Vector, len(a.rules.Checks))
	faults := make([]error, len(a.rules.Checks))
	var group errgroup.Group
	group.SetLimit(maxParallel)
	for i := range a.rules.Checks {
		group.Go(func() error {
			answers[i], faults[i] = a.query(ctx, a.rules.Checks[i].Query, at)
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("evaluate checks: %w", err)
	}
	for i, check := range a.rules.Checks {
		var unseen time.Time // A check says something about a service, not that it is there.
		switch {
		case faults[i] != nil && check.Service != "":
			found.add(check.Service, unseen, Reason{FromCheck, Degraded, fmt.Sprintf("%s cannot be evaluated: %s", check.Name, faults[i])})
		case faults[i] == nil && len(answers[i]) == 0 && check.Service != "":
			found.add(check.Service, unseen, Reason{FromCheck, Healthy, check.Name + " is in order"})
		}
		for _, sample := range answers[i] {
			name := cmp.Or(check.Service, sample.Metric.Get("service"), sample.Metric.Get("job"))
			if name != "" {
				found.add(name, unseen, Reason{FromCheck, check.Status, fmt.Sprintf("%s: the query gives %g", check.Name, sample.F)})
			}
		}
	}
	return nil
}
