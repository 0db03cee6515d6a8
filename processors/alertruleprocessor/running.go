package alertruleprocessor

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"
	"go.opentelemetry.io/collector/component"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/metricstore"
	"github.com/quantivista/monitoring/internal/promnotifier"
	"github.com/quantivista/monitoring/internal/promtelemetry"
	"github.com/quantivista/monitoring/processors/alertruleprocessor/internal/metadata"
)

const (
	// evaluationGrace is how long a shutdown lets evaluations run before it cancels them.
	evaluationGrace = 2 * time.Second
	// sendGrace is how long it then waits for the next component to take what waits.
	sendGrace = 2 * time.Second
)

// running is what Start begins and Shutdown ends.
type running struct {
	cfg           *Config
	logger        *slog.Logger
	store         metricstore.Store
	manager       *rules.Manager
	converter     *converter
	ledger        *ledger
	delivery      *delivery
	alertmanagers *promnotifier.Notifier
	send          rules.NotifyFunc // to the Alertmanagers
	reloader      *reloader
	telemetry     *promtelemetry.Bridge
	detach        func() // from the API

	started time.Time
	seeded  bool // belongs to the reloading

	// stopReload ends the reloading, cancel the evaluations.
	stopReload, cancel context.CancelFunc
	reloading, ran     sync.WaitGroup
}

// run starts everything, or nothing where it fails.
func (p *alertRule) run(host component.Host, store metricstore.Store) (_ *running, err error) {
	registry := prometheus.NewRegistry()
	evaluations, cancel := context.WithCancel(context.Background())
	reloads, stopReload := context.WithCancel(context.Background())
	health := newRuleHealth()
	r := &running{
		cfg:        p.cfg,
		logger:     p.logger,
		store:      store,
		converter:  newConverter(p.cfg, p.loader),
		ledger:     newLedger(),
		started:    time.Now(),
		cancel:     cancel,
		stopReload: stopReload,
	}
	defer func() {
		if err != nil {
			cancel()
			stopReload()
		}
	}()
	if r.manager, err = p.newManager(evaluations, r, queryFunc(store, health), registry); err != nil {
		return nil, err
	}
	if r.telemetry, err = promtelemetry.New(p.set.MeterProvider.Meter(metadata.ScopeName), registry); err != nil {
		return nil, err
	}
	if r.detach, err = p.attach(host, r.manager); err != nil {
		return nil, errors.Join(err, r.telemetry.Close())
	}
	if err = r.startAlertmanagers(registry); err != nil {
		r.detach()
		return nil, errors.Join(err, r.telemetry.Close())
	}
	r.delivery = startDelivery(p.outbox, p.next, p.telemetry, p.set.Logger)
	r.reloader = &reloader{
		cfg: p.cfg, source: p.source, loader: p.loader, manager: r.manager, evaluate: health.evaluate(p.set.TracerProvider.Tracer(metadata.ScopeName), r.delivery.poke),
		health: health, host: host, logger: p.set.Logger, telemetry: p.telemetry,
	}
	r.ran.Go(r.manager.Run)
	r.reloading.Go(func() {
		each(reloads, p.cfg.ReloadInterval, func() { r.turn(reloads) })
	})
	return r, nil
}

// startAlertmanagers begins to send to external Alertmanagers.
func (r *running) startAlertmanagers(registry *prometheus.Registry) error {
	external, err := r.cfg.external()
	if err != nil {
		return err
	}
	r.alertmanagers, err = promnotifier.Start(external, r.cfg.ExternalLabels, registry, r.logger)
	r.send = rules.SendAlerts(r.alertmanagers, r.cfg.ExternalURL)
	return err
}

// newManager is the one call of Prometheus' constructor.
func (p *alertRule) newManager(ctx context.Context, r *running, query rules.QueryFunc, registry *prometheus.Registry) (*rules.Manager, error) {
	external, err := url.Parse(p.cfg.ExternalURL)
	if err != nil {
		return nil, err
	}
	return rules.NewManager(&rules.ManagerOptions{
		NameValidationScheme:   model.UTF8Validation,
		ExternalURL:            external,
		QueryFunc:              query,
		NotifyFunc:             r.notify,
		Context:                ctx,
		Appendable:             ruleWrites{r.store},
		Queryable:              r.store,
		Logger:                 p.logger,
		Registerer:             registry,
		OutageTolerance:        p.cfg.ForOutageTolerance,
		ForGracePeriod:         p.cfg.ForGracePeriod,
		ResendDelay:            p.cfg.ResendDelay,
		GroupLoader:            p.loader,
		DefaultRuleQueryOffset: func() time.Duration { return 0 },
		MaxConcurrentEvals:     p.cfg.Concurrency,
		ConcurrentEvalsEnabled: p.cfg.Concurrency > 0,
	}), nil
}

// notify takes the reports of one rule's evaluation. What a process that is killed leaves of an alert in the metric
// store is all that the next one knows of it. So it is marked there that an alert fires before the report goes down the
// pipeline; that it has ended only once the report was taken, here and by the rule's own samples, which the rule
// manager writes next.
func (r *running) notify(ctx context.Context, expr string, reported ...*rules.Alert) {
	if len(reported) == 0 {
		return
	}
	alerts := make([]alert.Alert, len(reported))
	var began, ended []labels.Labels
	for i, a := range reported {
		alerts[i] = r.converter.alert(ctx, expr, a)
		isNew := r.ledger.note(a.Labels, alerts[i])
		switch {
		case alerts[i].Status == alert.Resolved:
			ended = append(ended, a.Labels)
		case isNew:
			began = append(began, a.Labels)
		}
	}
	at := reported[0].LastSentAt // of the evaluation
	r.mark(ctx, at, true, began)
	r.delivery.put(alerts...)
	if len(ended) > 0 && r.delivery.offer(ctx) {
		r.mark(ctx, at, false, ended)
	}
	r.send(ctx, expr, reported...)
}

// mark has the rule manager complain of a store that does not take samples: its own are refused, too.
func (r *running) mark(ctx context.Context, at time.Time, firing bool, alerts []labels.Labels) {
	if err := mark(ctx, ruleWrites{r.store}, at, firing, alerts); err != nil {
		r.logger.Debug("Cannot mark which alerts fire", "err", err)
	}
}

// turn is the work between evaluations: it loads what changed, and ends alerts that have no rule any more.
func (r *running) turn(ctx context.Context) {
	r.reloader.reload(ctx)
	if !r.seeded {
		err := seed(ctx, r.ledger, r.store, r.converter, r.reloader.alertNames(), r.started.Add(-r.cfg.ForOutageTolerance), r.started)
		if err != nil && ctx.Err() == nil {
			r.logger.Warn("Cannot see yet which alerts fired before the start", "err", err)
		}
		r.seeded = err == nil
	}
	now := time.Now()
	if gone, given := r.ledger.ended(r.manager.RuleGroups, now); len(gone) > 0 {
		r.delivery.put(gone...)
		if r.delivery.offer(ctx) {
			r.mark(ctx, now, false, given)
		}
	}
	if renewed := r.ledger.renewed(time.Now(), r.cfg.AlertOutageTolerance); len(renewed) > 0 {
		r.delivery.put(renewed...)
		r.delivery.poke()
	}
}

// stop ends all, in the order in which they feed each other.
func (r *running) stop(ctx context.Context) error {
	r.detach()
	r.stopReload()
	defer r.cancel()
	cancelLater := time.AfterFunc(evaluationGrace, r.cancel)
	defer cancelLater.Stop()
	defer context.AfterFunc(ctx, r.cancel)()
	r.reloading.Wait()
	r.manager.Stop()
	r.ran.Wait()

	ctx, cancel := context.WithTimeout(ctx, sendGrace)
	defer cancel()
	r.delivery.stop(ctx)
	return errors.Join(r.alertmanagers.Stop(ctx), r.telemetry.Close())
}
