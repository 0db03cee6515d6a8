package metricstore

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	apiv1 "github.com/prometheus/prometheus/web/api/v1"
)

// Store keeps metrics and answers PromQL. All methods are safe for concurrent use. A Store is usable between
// the Start and the Shutdown of the extension that offers it; outside of that it answers ErrUnavailable.
type Store interface {
	// Appendable takes samples. A store that only queries gives appenders that answer ErrReadOnly. A series
	// reference stays valid as a hint for as long as the Store lives: one that the store has forgotten, or that
	// it gave before it was opened again, is an unknown one and never another series'. An append by an unknown
	// reference and no labels answers tsdb.ErrInvalidSample.
	storage.Appendable
	// Queryable gives raw samples, for rules and for tests.
	storage.Queryable
	// ExemplarQueryable gives the exemplars kept beside the samples.
	storage.ExemplarQueryable

	// Query evaluates an instant query at one time.
	Query(ctx context.Context, expr string, at time.Time) (Result, error)
	// QueryRange evaluates a query at every step from start to end, both included.
	QueryRange(ctx context.Context, expr string, r Range) (Result, error)

	// SetMetadata records type, unit and help of a metric family, by its Prometheus name. The last one wins.
	// A store that only queries ignores it.
	SetMetadata(family string, m metadata.Metadata)

	// PrometheusAPI serves Prometheus' own HTTP API under the prefix /api/v1.
	PrometheusAPI(Companions) (http.Handler, error)
}

// Range is the time range of a range query. Start and End have millisecond resolution; Step is positive.
type Range struct {
	Start, End time.Time
	Step       time.Duration
}

// Result is the answer to a query. Value is one of promql.Vector, promql.Matrix, promql.Scalar and
// promql.String, and belongs to the caller.
type Result struct {
	Value    parser.Value
	Warnings []string
	Infos    []string
}

// Companions are the parts of Prometheus' HTTP API that a metric store does not know itself. Nil parts answer
// as a Prometheus without them: no targets, no rules.
type Companions struct {
	// Targets answers GET /api/v1/targets, /api/v1/targets/metadata and /api/v1/scrape_pools.
	Targets http.Handler
	// Rules gives the rule groups and the active alerts.
	Rules func(context.Context) apiv1.RulesRetriever
}
