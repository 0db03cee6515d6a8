package embedded

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/types"
	"github.com/prometheus/common/model"
)

// schedule knows when groups have their next turn: the dispatcher keeps that to itself.
type schedule struct {
	mu    sync.Mutex
	turns map[turn]time.Time
	// dropped is when those that are outdated were dropped last.
	dropped time.Time
}

type turn struct{ route, group string }

// outdated is how long a turn is remembered that has passed: its group is gone.
const outdated = time.Hour

// groupOf gives what the dispatcher groups an alert by in a route, and the key of the group.
func groupOf(route *dispatch.Route, set model.LabelSet) (model.LabelSet, string) {
	by := model.LabelSet{}
	for name, value := range set {
		if _, is := route.RouteOpts.GroupBy[name]; is || route.RouteOpts.GroupByAll {
			by[name] = value
		}
	}
	return by, fmt.Sprintf("%s:%s", route.Key(), by)
}

// expect notes the first turn of the groups that a new alert begins.
func (s *schedule) expect(routes *dispatch.Route, a *types.Alert, now time.Time) {
	for _, route := range routes.Match(a.Labels) {
		_, group := groupOf(route, a.Labels)
		at := now.Add(route.RouteOpts.GroupWait)
		if a.StartsAt.Add(route.RouteOpts.GroupWait).Before(now) {
			at = now // as the dispatcher has it
		}
		s.mu.Lock()
		key := turn{route.ID(), group}
		if known, is := s.turns[key]; !is || known.Before(now) {
			s.turns[key] = at
		}
		s.mu.Unlock()
	}
}

// note that a group has its turn, and another behind its interval.
func (s *schedule) note(ctx context.Context, intervals map[string]time.Duration) {
	route, _ := notify.RouteID(ctx)
	group, _ := notify.GroupKey(ctx)
	now, _ := notify.Now(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turns[turn{route, group}] = now.Add(intervals[route])
}

// dropEvery is how often outdated turns are looked for: that looks at all.
const dropEvery = 10 * time.Minute

// drop forgets groups that are gone, now and then.
func (s *schedule) drop(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.dropped) < dropEvery {
		return
	}
	s.dropped = now
	for key, at := range s.turns {
		if now.Sub(at) > outdated {
			delete(s.turns, key)
		}
	}
}

func (s *schedule) next(route, group string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.turns[turn{route, group}]
}
