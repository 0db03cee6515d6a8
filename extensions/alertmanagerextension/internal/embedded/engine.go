package embedded

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/alertmanager/cluster"
	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/timeinterval"
	"github.com/prometheus/alertmanager/types"
	"github.com/prometheus/common/model"

	"github.com/quantivista/monitoring/internal/alertmanager"
)

// Engine is one Alertmanager without a server around it. It routes nothing before the first Apply: silences, the
// notification log and alerts of an earlier run are put in between, so that the first routing knows them all.
type Engine struct {
	o                 *Options
	marker            *types.MemMarker
	alerts            *mem.Alerts
	held              *held
	silences          *silence.Silences
	notifications     *nflog.Log
	peer              *cluster.Peer // nil without a cluster
	pipelines         *notify.PipelineBuilder
	dispatcherMetrics *dispatch.DispatcherMetrics
	metrics           *configMetrics
	handler           http.Handler
	update            func(*config.Config, func(context.Context, model.LabelSet))
	started           time.Time

	stop       chan struct{} // ends the maintenance
	leaving    func()        // ends the settling of a cluster
	background sync.WaitGroup

	applying sync.Mutex // held by Apply and Close
	current  atomic.Pointer[current]
	putting  sync.Mutex
}

// current is what a configuration makes, and the next one replaces.
type current struct {
	source     *Configuration
	conf       *config.Config
	routes     *dispatch.Route
	schedule   *schedule
	intervener *timeinterval.Intervener
	receivers  []alertmanager.Receiver
	inhibitor  *inhibit.Inhibitor
	silencer   *silence.Silencer
	dispatcher *dispatch.Dispatcher
	gate       *gate
}

// New makes an Engine that is to be closed. It listens where a cluster is configured.
func New(o *Options) (_ *Engine, err error) {
	initCompat()
	e := &Engine{o: o, marker: newMarker(o), held: newHeld(o.Limits.Alerts), started: time.Now(), stop: make(chan struct{})}
	if e.silences, err = newSilences(o); err != nil {
		return nil, fmt.Errorf("make the silences: %w", err)
	}
	if e.notifications, err = newNotificationLog(o); err != nil {
		return nil, fmt.Errorf("make the notification log: %w", err)
	}
	if e.metrics, err = newConfigMetrics(o.Registry); err != nil {
		return nil, err
	}
	e.silences.SetBroadcast(o.SilenceChanged)
	if o.Cluster != nil {
		if e.peer, err = newPeer(o); err != nil {
			return nil, fmt.Errorf("\"cluster\": %w", err)
		}
		e.gossip()
	}
	if e.alerts, err = newAlerts(o, e.marker, e.held); err != nil {
		return nil, fmt.Errorf("make the alerts: %w", err)
	}
	e.pipelines, e.dispatcherMetrics = newPipelineBuilder(o), newDispatcherMetrics(o)
	served, err := newAPI(e)
	if err != nil {
		e.alerts.Close()
		return nil, fmt.Errorf("make the API: %w", err)
	}
	e.handler, e.update = sameOrigin(apiHandler(served)), served.Update
	e.background.Go(func() { e.silences.Maintenance(maintenanceInterval, "", e.stop, nil) })
	e.background.Go(func() { e.notifications.Maintenance(maintenanceInterval, "", e.stop, nil) })
	return e, nil
}

// Handler serves /api/v2/. It must not be asked before the first Apply.
func (e *Engine) Handler() http.Handler { return e.handler }

// Silences and Notifications are what is to be kept over a restart.
func (e *Engine) Silences() *silence.Silences { return e.silences }

// Notifications is the notification log.
func (e *Engine) Notifications() *nflog.Log { return e.notifications }

// Receivers of the configuration in force.
func (e *Engine) Receivers() []alertmanager.Receiver {
	if c := e.current.Load(); c != nil {
		return c.receivers
	}
	return nil
}

// MaxNumberOfAggregationGroups implements dispatch.Limits.
func (e *Engine) MaxNumberOfAggregationGroups() int { return e.o.Limits.Groups }

// groups answers the API.
func (e *Engine) groups(ctx context.Context, routes func(*dispatch.Route) bool, alerts func(*types.Alert, time.Time) bool) (dispatch.AlertGroups, map[model.Fingerprint][]string, error) {
	c := e.current.Load()
	if c == nil {
		return nil, nil, alertmanager.ErrNotReady
	}
	return c.dispatcher.Groups(ctx, routes, alerts)
}

// Close lets notifications that are being sent end, until ctx ends, and stops everything. It may be called twice.
func (e *Engine) Close(ctx context.Context) error {
	e.applying.Lock()
	defer e.applying.Unlock()
	select {
	case <-e.stop:
		return nil
	default:
		close(e.stop)
	}
	var err error
	if c := e.current.Swap(nil); c != nil {
		err = c.end(ctx)
	}
	if e.peer != nil {
		err = errors.Join(err, e.leave())
	}
	e.alerts.Close()
	e.background.Wait()
	return err
}
