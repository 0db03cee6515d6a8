package metricstoreexporter

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
)

// seriesCache maps OTLP identities to series references, so that a known series costs a hash and an append.
//
// A reference is a hint and no more. The store forgets a series that had no sample for long, and all when it is
// opened again; it answers their references with an error, since no labels come with them, and never gives them
// to another series.
type seriesCache struct {
	seeds     [2]maphash.Seed
	maxSeries int64

	clock  atomic.Uint32 // ticks of the sweeper
	series atomic.Int64  // references held

	mu        sync.RWMutex
	resources map[identity]*resourceSeries
}

// resourceSeries are the known series of one resource. A batch holds the lock while it works on the resource.
type resourceSeries struct {
	mu      sync.Mutex
	dropped bool // no longer in the cache: look it up again

	numbers map[identity]*numberSeries
	groups  map[identity]*seriesGroup

	targetInfo         labels.Labels // empty: this resource has none
	targetInfoRef      storage.SeriesRef
	targetInfoResolved bool
}

// numberSeries is the one series of a gauge's or sum's data point.
type numberSeries struct {
	id      identity      // zero once forgotten
	next    *numberSeries // came after this one the last time
	ref     storage.SeriesRef
	created int64  // start time of the last data point, milliseconds
	used    uint32 // tick of the last use
}

// seriesGroup are the series of a histogram's or summary's data point: sum, count, then each bucket and
// le="+Inf", or each quantile. A reference of 0 is not known.
type seriesGroup struct {
	refs    []storage.SeriesRef
	created int64
	used    uint32
}

// number finds a series. Senders tend to keep the order of their data points: the one that followed the last one
// before is tried first, which spares the look-up.
func (r *resourceSeries) number(id identity, last *numberSeries) *numberSeries {
	if last == nil {
		return r.numbers[id]
	}
	if s := last.next; s != nil && s.id == id {
		return s
	}
	last.next = r.numbers[id]
	return last.next
}

func newSeriesCache(maxSeries int) *seriesCache {
	return &seriesCache{
		seeds:     [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		maxSeries: int64(maxSeries),
		resources: map[identity]*resourceSeries{},
	}
}

// lock gives the series of a resource, locked.
func (c *seriesCache) lock(id identity) *resourceSeries {
	for {
		c.mu.RLock()
		r := c.resources[id]
		c.mu.RUnlock()
		if r == nil {
			r = c.add(id)
		}
		r.mu.Lock()
		if !r.dropped {
			return r
		}
		r.mu.Unlock()
	}
}

func (c *seriesCache) add(id identity) *resourceSeries {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.resources[id]; r != nil {
		return r
	}
	r := &resourceSeries{numbers: map[identity]*numberSeries{}, groups: map[identity]*seriesGroup{}}
	c.resources[id] = r
	return r
}

// reserve takes room for n more series and says whether there was any.
func (c *seriesCache) reserve(n int) bool {
	if c.series.Add(int64(n)) <= c.maxSeries {
		return true
	}
	c.series.Add(-int64(n))
	return false
}

// idleTicks is how many ticks a series may go unused before it is forgotten.
const idleTicks = 15

// tick advances the clock and forgets what is idle; the fuller the cache, the sooner.
func (c *seriesCache) tick() {
	now := c.clock.Add(1)
	for idle := uint32(idleTicks); idle > 0; idle /= 2 {
		c.sweep(now, idle)
		if c.series.Load() < c.maxSeries*9/10 {
			return
		}
	}
}

func (c *seriesCache) sweep(now, idle uint32) {
	c.mu.RLock()
	ids := make([]identity, 0, len(c.resources))
	for id := range c.resources {
		ids = append(ids, id)
	}
	c.mu.RUnlock()
	for _, id := range ids {
		c.mu.RLock()
		r := c.resources[id]
		c.mu.RUnlock()
		if r == nil {
			continue
		}
		r.mu.Lock()
		c.series.Add(-int64(r.forget(now, idle)))
		if r.dropped = len(r.numbers) == 0 && len(r.groups) == 0; r.dropped {
			c.mu.Lock()
			delete(c.resources, id)
			c.mu.Unlock()
		}
		r.mu.Unlock()
	}
}

// forget drops what was not used for idle ticks and says how many references that were.
func (r *resourceSeries) forget(now, idle uint32) int {
	n := 0
	for id, s := range r.numbers {
		if now-s.used >= idle {
			delete(r.numbers, id)
			s.id, s.next = identity{}, nil
			n++
		}
	}
	for id, g := range r.groups {
		if now-g.used >= idle {
			delete(r.groups, id)
			n += len(g.refs)
		}
	}
	return n
}
