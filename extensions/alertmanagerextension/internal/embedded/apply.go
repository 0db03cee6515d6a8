package embedded

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/alertmanager/types"
	"github.com/prometheus/common/model"

	"github.com/quantivista/monitoring/internal/alertmanager"
)

// drainAtReload is how long a new configuration waits for notifications that the old one is sending.
const drainAtReload = 2 * time.Second

// Apply puts a configuration into force. On an error the one before stays, untouched.
func (e *Engine) Apply(ctx context.Context, conf *Configuration) error {
	e.applying.Lock()
	defer e.applying.Unlock()
	routes := newRoutes(conf.parsed)
	next := &current{source: conf, conf: conf.parsed, routes: routes, schedule: &schedule{turns: map[turn]time.Time{}}, intervener: newIntervener(conf.parsed)}
	next.gate = &gate{flushing: next.flushing(e.o.Flushing)}
	integrations, err := e.integrations(next, routes, conf)
	if err != nil {
		return conf.fault(err)
	}
	e.warn(routes)

	// From here on nothing fails. The old inhibitor goes on until the old dispatcher has ended.
	old := e.current.Load()
	if old != nil {
		draining, cancel := context.WithTimeout(ctx, drainAtReload)
		defer cancel()
		if err := old.end(draining); err != nil {
			e.o.Logger.Warn("A notification was still being sent at a reload: it is sent again", "err", err)
		}
	}
	next.silencer = newSilencer(e)
	next.inhibitor = newInhibitor(e, conf.parsed)
	next.gate.stage = newPipeline(e, integrations, next)
	next.dispatcher = newDispatcher(e, routes, next.gate)
	e.update(conf.parsed, func(ctx context.Context, labels model.LabelSet) {
		next.inhibitor.Mutes(ctx, labels)
		next.silencer.Mutes(ctx, labels)
	})
	// The inhibitor must know the alerts before the dispatcher routes one that it inhibits, and the API asks for the
	// groups only once they are there.
	go next.inhibitor.Run()
	next.inhibitor.WaitForLoading()
	next.expectAll(e)
	go next.dispatcher.Run(e.started)
	next.dispatcher.WaitForLoading()
	e.current.Store(next)
	e.metrics.applied(next, conf)
	return nil
}

// integrations builds those of the receivers that routes lead to, as Alertmanager does: one that is not used need not
// find its certificates.
func (e *Engine) integrations(c *current, routes *dispatch.Route, conf *Configuration) (map[string][]notify.Integration, error) {
	t, err := newTemplate(e.o, c.conf)
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	used := map[string]bool{}
	routes.Walk(func(r *dispatch.Route) { used[r.RouteOpts.Receiver] = true })
	all := make(map[string][]notify.Integration, len(used))
	for i := range c.conf.Receivers {
		receiver := alertmanager.Receiver{Name: c.conf.Receivers[i].Name, Used: used[c.conf.Receivers[i].Name]}
		if receiver.Used {
			built, err := e.build(c.conf.Receivers[i], t, conf)
			if err != nil {
				return nil, fmt.Errorf("receiver %q: %w", receiver.Name, err)
			}
			all[receiver.Name] = built
			for j := range built {
				receiver.Integrations = append(receiver.Integrations, alertmanager.Integration{
					Type: built[j].Name(), Index: built[j].Index(), SendResolved: built[j].SendResolved(),
				})
			}
		}
		c.receivers = append(c.receivers, receiver)
	}
	return all, nil
}

// build gives the integrations of a receiver, as they are sent by.
func (e *Engine) build(rcv config.Receiver, t *template.Template, conf *Configuration) ([]notify.Integration, error) {
	built, err := newIntegrations(rcv, t, e.o.Logger)
	if err != nil {
		return nil, err
	}
	wrapped := make([]notify.Integration, len(built))
	for i := range built {
		wrapped[i] = newIntegration(&built[i], e.o.Send(rcv.Name, &built[i], e.attempt(&built[i], rcv, t, conf)), rcv.Name)
	}
	return wrapped, nil
}

// attempt gives what sends one message by an integration: with its key, in its time, and without secrets in its faults.
func (e *Engine) attempt(i *notify.Integration, rcv config.Receiver, t *template.Template, conf *Configuration) notify.Notifier {
	return &discreet{inner: &punctual{inner: withKey(i, rcv, t, e.o.Logger)}, redact: conf.redact}
}

// warn tells of intervals that do not do what they seem to.
func (e *Engine) warn(routes *dispatch.Route) {
	routes.Walk(func(r *dispatch.Route) {
		if r.RouteOpts.RepeatInterval > e.o.Retention {
			e.o.Logger.Warn("repeat_interval is longer than the retention: notifications can be repeated more often than expected",
				"repeat_interval", r.RouteOpts.RepeatInterval, "retention", e.o.Retention, "route", r.Key())
		}
		if r.RouteOpts.RepeatInterval < r.RouteOpts.GroupInterval {
			e.o.Logger.Warn("repeat_interval is shorter than group_interval: notifications are not repeated before the next group_interval",
				"repeat_interval", r.RouteOpts.RepeatInterval, "group_interval", r.RouteOpts.GroupInterval, "route", r.Key())
		}
	})
}

// flushing notes the turns of groups.
func (c *current) flushing(then func(context.Context, []*types.Alert) []*types.Alert) func(context.Context, []*types.Alert) []*types.Alert {
	intervals := map[string]time.Duration{}
	c.routes.Walk(func(r *dispatch.Route) { intervals[r.ID()] = r.RouteOpts.GroupInterval })
	return func(ctx context.Context, alerts []*types.Alert) []*types.Alert {
		c.schedule.note(ctx, intervals)
		return then(ctx, alerts)
	}
}

// expectAll notes the first turns of the groups of all alerts that are held.
func (c *current) expectAll(e *Engine) {
	pending := e.alerts.GetPending()
	defer pending.Close()
	now := time.Now()
	for a := range pending.Next() {
		c.schedule.expect(c.routes, a.Data, now)
	}
}

// end stops routing. What is being sent may end by itself until ctx does, and is cut off then.
func (c *current) end(ctx context.Context) error {
	err := c.gate.close(ctx)
	c.dispatcher.Stop()
	c.inhibitor.Stop()
	return err
}
