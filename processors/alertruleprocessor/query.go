package alertruleprocessor

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"

	"github.com/quantivista/monitoring/internal/metricstore"
)

// queryFunc has rules ask the store. Templates ask by it too.
func queryFunc(store metricstore.Store, health *ruleHealth) rules.QueryFunc {
	return func(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
		if expr == failingQuery {
			return health.vector(at), nil
		}
		result, err := store.Query(ctx, expr, at)
		if err != nil {
			if ctx.Err() != nil {
				return nil, promql.ErrQueryCanceled("rule evaluation") // which Prometheus does not log
			}
			return nil, err
		}
		switch v := result.Value.(type) {
		case promql.Vector:
			return v, nil
		case promql.Scalar:
			return promql.Vector{{T: v.T, F: v.V, Metric: labels.EmptyLabels()}}, nil
		default:
			return nil, errors.New("the result of a rule must be a vector or a scalar")
		}
	}
}
