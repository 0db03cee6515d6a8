package servicehealth

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/prometheus/promql"
	"golang.org/x/sync/errgroup"
)

// maxParallel leaves most of the store's query slots to others.
const maxParallel = 4

// vectors evaluates expressions side by side.
func (a *Assessor) vectors(ctx context.Context, at time.Time, exprs ...string) ([]promql.Vector, error) {
	answers := make([]promql.Vector, len(exprs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxParallel)
	for i, expr := range exprs {
		group.Go(func() (err error) {
			answers[i], err = a.query(ctx, expr, at)
			return err
		})
	}
	return answers, group.Wait()
}

// queryAll evaluates expressions side by side and gives the value by job of each.
func (a *Assessor) queryAll(ctx context.Context, at time.Time, exprs ...string) ([]map[string]float64, error) {
	vectors, err := a.vectors(ctx, at, exprs...)
	if err != nil {
		return nil, err
	}
	answers := make([]map[string]float64, len(exprs))
	for i, vector := range vectors {
		answers[i] = make(map[string]float64, len(vector))
		for _, sample := range vector {
			answers[i][sample.Metric.Get("job")] = sample.F
		}
	}
	return answers, nil
}

// fromSeconds turns a Unix time of PromQL into a time, with its millisecond resolution.
func fromSeconds(s float64) time.Time {
	return time.UnixMilli(int64(math.Round(s * 1000))).UTC()
}
