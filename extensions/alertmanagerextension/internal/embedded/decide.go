package embedded

import (
	"context"
	"slices"
	"time"

	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/nflog/nflogpb"
	"github.com/prometheus/common/model"

	"github.com/quantivista/monitoring/internal/alertmanager"
)

// Decide implements alertmanager.Decider.
func (e *Engine) Decide(ctx context.Context, labels map[string]string) (alertmanager.Decision, error) {
	c := e.current.Load()
	if c == nil {
		return alertmanager.Decision{}, alertmanager.ErrNotReady
	}
	muting, err := e.Muted(ctx, labels)
	if err != nil {
		return alertmanager.Decision{}, err
	}
	set := labelSet(labels)
	_, err = e.alerts.Get(set.Fingerprint())
	d := alertmanager.Decision{Held: err == nil, Muting: muting}
	for _, route := range c.routes.Match(set) {
		d.Routes = append(d.Routes, e.route(c, route, set, d.Held))
	}
	return d, nil
}

func (e *Engine) route(c *current, route *dispatch.Route, set model.LabelSet, held bool) alertmanager.Route {
	by, key := groupOf(route, set)
	o := &route.RouteOpts
	r := alertmanager.Route{
		Path: route.Key(), Receiver: o.Receiver, GroupKey: key, GroupLabels: map[string]string{},
		GroupWait: o.GroupWait, GroupInterval: o.GroupInterval, RepeatInterval: o.RepeatInterval,
	}
	for name, value := range by {
		r.GroupLabels[string(name)] = string(value)
	}
	if held {
		r.NextTurn = c.schedule.next(route.ID(), key)
	}
	now := time.Now()
	// The names were checked when the configuration was read.
	_, r.MutedBy, _ = c.intervener.Mutes(o.MuteTimeIntervals, now)
	if active, _, _ := c.intervener.Mutes(o.ActiveTimeIntervals, now); len(o.ActiveTimeIntervals) > 0 && !active {
		r.OutsideOf = slices.Clone(o.ActiveTimeIntervals)
	}
	for _, receiver := range c.receivers {
		if receiver.Name != o.Receiver {
			continue
		}
		r.Integrations = len(receiver.Integrations)
		for _, integration := range receiver.Integrations {
			r.Told = append(r.Told, e.toldOf(&receiver, integration, key, set)...)
		}
	}
	return r
}

// toldOf gives what the notification log has of one alert, if anything.
func (e *Engine) toldOf(receiver *alertmanager.Receiver, i alertmanager.Integration, key string, set model.LabelSet) []alertmanager.Told {
	to := &nflogpb.Receiver{GroupName: receiver.Name, Integration: i.Type, Idx: uint32(i.Index)}
	logged, err := e.notifications.Query(nflog.QGroupKey(key), nflog.QReceiver(to))
	if err != nil || len(logged) == 0 {
		return nil
	}
	hash := LogHash(set)
	firing := slices.Contains(logged[0].FiringAlerts, hash)
	if !firing && !slices.Contains(logged[0].ResolvedAlerts, hash) {
		return nil
	}
	return []alertmanager.Told{{Integration: i, At: logged[0].Timestamp, Firing: firing}}
}
