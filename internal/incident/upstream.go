package incident

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/quantivista/monitoring/internal/alert"
)

// Callees gives the services that a service calls, each once, in an order that does not change.
type Callees func(service string) []string

// Graph gives the service graph as it is known; nil where it is not. It answers from memory: transactions ask it, and no
// alert waits for it.
type Graph func() Callees

// Path leads from the service of an alert to that of an incident by calls, both included.
type Path []string

// String writes the path as people read it.
func (p Path) String() string { return strings.Join(p, " → ") }

// Upstream has an alert that would open an incident join that of a service which its own calls, directly or through others.
// The zero value is off.
type Upstream struct {
	Graph Graph
	// MaxHops is how many calls a path has at most. They count from the service that the incident was opened for, so that
	// an incident does not grow on by those that have joined it.
	MaxHops int
}

// MaxPlaceLabels is how many labels an alert may be correlated by, beside its service, to be looked for upstream.
const MaxPlaceLabels = 6

// WithUpstream gives a correlator that goes by the service graph as well.
func (c *Correlator) WithUpstream(u Upstream) *Correlator {
	return &Correlator{store: c.store, rules: c.rules, muting: c.muting, upstream: u, now: c.now}
}

// target is a correlation key whose incident an alert may join.
type target struct {
	key  string
	path Path
}

// upstream knows, for one run, what alerts of keys without an unresolved incident may join.
type upstream struct {
	callees Callees
	maxHops int
	paths   map[string][]Path   // by service
	targets map[string][]target // by key, the nearest first
}

// lookUpstream finds what may be joined, and adds the unresolved incidents of that to unresolved.
func (r *correlation) lookUpstream(ctx context.Context, byKey map[string][]*alert.Change, unresolved map[string]Incident) (*upstream, error) {
	u := &upstream{maxHops: r.upstream.MaxHops, paths: map[string][]Path{}, targets: map[string][]target{}}
	if r.upstream.Graph != nil {
		u.callees = r.upstream.Graph()
	}
	if u.callees == nil {
		return u, nil
	}
	others := map[string]bool{}
	for key, changes := range byKey {
		if _, is := unresolved[key]; is {
			continue
		}
		u.targets[key] = u.targetsOf(&changes[0].After.Alert, r.rules.Labels)
		for _, t := range u.targets[key] {
			if byKey[t.key] == nil {
				others[t.key] = true
			}
		}
	}
	for keys := range slices.Chunk(slices.Sorted(maps.Keys(others)), keysPerStatement) {
		found, err := r.tx.UnresolvedByKey(ctx, keys)
		if err != nil {
			return nil, err
		}
		maps.Copy(unresolved, found)
	}
	return u, nil
}

// keysPerStatement bounds the length of a statement.
const keysPerStatement = 1000

// targetsOf gives the keys that an alert may join: of each service downstream with the labels of the alert, and without
// some of them. The graph knows services by their names only. So what an incident says of its place must hold for the
// alert as well, and one that says less, such as of a database that all namespaces share, is of every place.
func (u *upstream) targetsOf(a *alert.Alert, labels []string) []target {
	service := ServiceOf(a)
	if service == "" {
		return nil
	}
	place := shared(a, labels)
	delete(place, serviceLabels[0])
	names := slices.Sorted(maps.Keys(place))
	if len(names) > MaxPlaceLabels {
		return nil
	}
	var targets []target
	for _, path := range u.pathsFrom(service) {
		for subset := range 1 << len(names) {
			values := map[string]string{serviceLabels[0]: path[len(path)-1]}
			for i, name := range names {
				if subset&(1<<i) != 0 {
					values[name] = place[name]
				}
			}
			targets = append(targets, target{keyWith(values), path})
		}
	}
	return targets
}

// pathsFrom gives a shortest path to each service downstream, the shortest first. A service that is reached again, as in a
// circle, is passed over.
func (u *upstream) pathsFrom(service string) []Path {
	if known, is := u.paths[service]; is {
		return known
	}
	var found []Path
	seen := map[string]bool{service: true}
	last := []Path{{service}}
	for range u.maxHops {
		var next []Path
		for _, path := range last {
			for _, callee := range u.callees(path[len(path)-1]) {
				if !seen[callee] {
					seen[callee] = true
					next = append(next, append(slices.Clip(path), callee))
				}
			}
		}
		found, last = append(found, next...), next
	}
	u.paths[service] = found
	return found
}

// nearest gives the incident that alerts of a key join: by the fewest calls, of several the oldest one.
func (u *upstream) nearest(key string, unresolved map[string]Incident) (in Incident, path Path, is bool) {
	for _, t := range u.targets[key] {
		other, open := unresolved[t.key]
		switch {
		case !open:
		case is && len(t.path) > len(path):
			return in, path, true
		case !is || cmp.Or(other.CreatedAt.Compare(in.CreatedAt), cmp.Compare(other.ID, in.ID)) < 0:
			in, path, is = other, t.path, true
		}
	}
	return in, path, is
}

// order sorts keys so that incidents open before alerts upstream look for them: what fired together is one incident, by
// whatever name its services go. In a circle the first to fire comes first.
func (u *upstream) order(keys []string, byKey map[string][]*alert.Change, opens func(key string) bool) []string {
	if len(u.targets) == 0 {
		return keys
	}
	o := downstreamFirst{targets: map[string][]string{}, numbers: map[string]int{}, lows: map[string]int{}, byKey: byKey}
	for key := range u.targets {
		for _, t := range u.targets[key] {
			if _, homeless := u.targets[t.key]; homeless && opens(t.key) {
				o.targets[key] = append(o.targets[key], t.key)
			}
		}
	}
	for _, key := range keys {
		o.visit(key)
	}
	return o.ordered
}

// downstreamFirst is Tarjan's algorithm (Depth-First Search and Linear Graph Algorithms, 1972): it gives each circle, and
// each key that is in none, behind all that it leads to.
type downstreamFirst struct {
	targets map[string][]string
	byKey   map[string][]*alert.Change
	numbers map[string]int // of those that were visited, from 1; what is ordered has none that counts
	lows    map[string]int
	path    []string
	ordered []string
}

// given is a number above all.
const given = math.MaxInt

func (o *downstreamFirst) visit(key string) {
	if o.numbers[key] != 0 {
		return
	}
	o.numbers[key] = len(o.numbers) + 1
	o.lows[key] = o.numbers[key]
	at := len(o.path)
	o.path = append(o.path, key)
	for _, t := range o.targets[key] {
		if o.numbers[t] == 0 {
			o.visit(t)
			o.lows[key] = min(o.lows[key], o.lows[t])
		} else {
			o.lows[key] = min(o.lows[key], o.numbers[t])
		}
	}
	if o.lows[key] != o.numbers[key] {
		return
	}
	circle := slices.Clone(o.path[at:])
	o.path = o.path[:at]
	slices.SortFunc(circle, func(a, b string) int {
		return cmp.Or(firstStart(o.byKey[a]).Compare(firstStart(o.byKey[b])), cmp.Compare(a, b))
	})
	for _, member := range circle {
		o.numbers[member], o.lows[member] = given, given
	}
	o.ordered = append(o.ordered, circle...)
}

// cameBy remembers the path by which alerts join.
func (c *incidentCase) cameBy(path Path, alertIDs []string) {
	if path == nil {
		return
	}
	if c.paths == nil {
		c.paths = map[string]Path{}
	}
	for _, id := range alertIDs {
		c.paths[id] = path
	}
}

// keepPaths stores by which paths alerts have joined.
func (r *correlation) keepPaths(ctx context.Context, c *incidentCase) error {
	byPath := map[string][]string{}
	for id, path := range c.paths {
		byPath[path.String()] = append(byPath[path.String()], id)
	}
	for _, joined := range slices.Sorted(maps.Keys(byPath)) {
		ids := slices.Sorted(slices.Values(byPath[joined]))
		if err := r.tx.KeepPath(ctx, c.ID, ids, c.paths[ids[0]]); err != nil {
			return err
		}
	}
	r.outcome.AlertsUpstream += len(c.paths)
	return nil
}

// withPath has the first event of an alert tell the path by which it joined.
func (c *incidentCase) withPath(change *alert.Change, events ...TimelineEvent) []TimelineEvent {
	if path := c.paths[change.After.ID]; path != nil && len(events) > 0 {
		events[0].Content += " (upstream: " + path.String() + ")"
		events[0].Metadata["path"] = []string(path)
	}
	return events
}
