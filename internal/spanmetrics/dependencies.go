package spanmetrics

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"time"
)

// Dependency is an edge of the service graph.
type Dependency struct {
	Parent, Child string
	// Connection is database, messaging_system or virtual_node; empty between services that send traces.
	Connection string
	// Calls and Errors are extrapolated, as PromQL's increase does.
	Calls, Errors float64
	// P95 is in seconds, as the child sees it; NaN where it is not known.
	P95 float64
}

// edge tells one from the other.
type edge struct{ parent, child, connection string }

// byEdge are the labels of an edge.
const byEdge = "client, server, connection_type"

func graphGrown(metric string, over time.Duration) string {
	return grown("traces_service_graph_request_"+metric, over)
}

// calls is PromQL for the edges that had calls, with their number.
func calls(over time.Duration) string {
	return "sum by (" + byEdge + ") (" + graphGrown("total", over) + ") > 0"
}

// Dependencies gives the edges that had calls from start to end, those with the most calls first.
func Dependencies(ctx context.Context, query Query, start, end time.Time) ([]Dependency, error) {
	increase := func(metric string) string { return graphGrown(metric, end.Sub(start)) }
	found := map[edge]Dependency{}
	for _, each := range []struct {
		expr string
		set  func(d *Dependency, value float64)
	}{
		{calls(end.Sub(start)), func(d *Dependency, v float64) { d.Calls = v; d.P95 = math.NaN() }},
		{"sum by (" + byEdge + ") (" + increase("failed_total") + ")", func(d *Dependency, v float64) { d.Errors = v }},
		{"histogram_quantile(0.95, sum by (" + byEdge + ", le) (" + increase("server_seconds_bucket") + "))", func(d *Dependency, v float64) { d.P95 = v }},
	} {
		vector, err := query(ctx, each.expr, end)
		if err != nil {
			return nil, err
		}
		for _, sample := range vector {
			key := edge{sample.Metric.Get("client"), sample.Metric.Get("server"), sample.Metric.Get("connection_type")}
			d := found[key]
			d.Parent, d.Child, d.Connection = key.parent, key.child, key.connection
			each.set(&d, sample.F)
			if d.Calls > 0 {
				found[key] = d
			}
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b Dependency) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Parent, b.Parent), cmp.Compare(a.Child, b.Child), cmp.Compare(a.Connection, b.Connection))
	}), nil
}
