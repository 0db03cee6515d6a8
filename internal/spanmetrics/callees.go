package spanmetrics

import (
	"context"
	"maps"
	"slices"
	"time"
)

// What the servicegraph connector writes beside the names of services.
const (
	messaging   = "messaging_system"
	virtualNode = "virtual_node"
	// anyClient is the virtual client of spans that nobody's client span leads to, and no service, unless one happens to
	// have that name.
	anyClient = "user"
	// unknownServer is the virtual server of client spans that do not say whom they call.
	unknownServer = "unknown"
)

// Callees gives the services, databases and other peers that each service waited for from start to end, by name, each
// once. A producer of messages does not wait for those who consume them. A peer that sends no spans, or whose spans are
// missing because it is down, counts by the name that its callers give it.
func Callees(ctx context.Context, query Query, start, end time.Time) (map[string][]string, error) {
	vector, err := query(ctx, calls(end.Sub(start)), end)
	if err != nil {
		return nil, err
	}
	called := map[string]map[string]bool{}
	for _, sample := range vector {
		client, server, connection := sample.Metric.Get("client"), sample.Metric.Get("server"), sample.Metric.Get("connection_type")
		virtual := connection == virtualNode && (client == anyClient || server == unknownServer)
		if client == "" || server == "" || client == server || connection == messaging || virtual {
			continue
		}
		if called[client] == nil {
			called[client] = map[string]bool{}
		}
		called[client][server] = true
	}
	callees := make(map[string][]string, len(called))
	for client, servers := range called {
		callees[client] = slices.Sorted(maps.Keys(servers))
	}
	return callees, nil
}
