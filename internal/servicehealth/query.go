package servicehealth

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

// maxParallel leaves most of the store's query slots to others.
const maxParallel = 4

// queryAll evaluates expressions side by side and gives the value by job of each.
func (a *Assessor) queryAll(ctx context.Context, at time.Time, exprs ...string) ([]map[string]float64, error) {
	answers := make([]map[string]float64, len(exprs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxParallel)
	for i, expr := range exprs {
		group.Go(func() error {
			vector, err := a.query(ctx, expr, at)
			if err != nil {
				return err
			}
			answers[i] = make(map[string]float64, len(vector))
			for _, sample := range vector {
				answers[i][sample.Metric.Get("job")] = sample.F
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return answers, nil
}
