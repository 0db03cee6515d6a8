package alertmanagerextension

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quantivista/monitoring/extensions/alertmanagerextension/internal/embedded"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/alertmanager"
	"github.com/quantivista/monitoring/internal/state"
)

const (
	// firstAttempt bounds the wait for the store within Start.
	firstAttempt = 5 * time.Second
	// restorePause is how long an attempt comes after another.
	restorePause = time.Second
)

// restore begins to route once the state of the last run is there. Where the store is away it waits for it in the
// background, until the restore_timeout: nobody is paged meanwhile, and after that some may be told twice.
func (e *amExtension) restore(run context.Context, conf *embedded.Configuration) error {
	attempt, cancel := context.WithTimeout(run, firstAttempt)
	defer cancel()
	err := e.keeper.restore(attempt)
	if err == nil {
		return e.route(run, conf)
	}
	if !errors.Is(err, state.ErrUnavailable) && !errors.Is(err, context.DeadlineExceeded) {
		return errors.Join(err, e.Shutdown(context.Background()))
	}
	e.logger.Warn("Waiting for the store, which has the silences and alerts of the last run, before anyone is notified",
		"at_most", e.cfg.RestoreTimeout, "err", err)
	e.background.Go(func() { e.restoreLater(run, conf) })
	return nil
}

// restoreLater tries until it succeeds, and routes without the state once the time is over.
func (e *amExtension) restoreLater(run context.Context, conf *embedded.Configuration) {
	overdue := time.After(e.cfg.RestoreTimeout)
	ticker := time.NewTicker(restorePause)
	defer ticker.Stop()
	for routes := false; ; {
		select {
		case <-run.Done():
			return
		case <-overdue:
			e.logger.Error("The store is still away: notifying without the silences and alerts of the last run. Some will be told again",
				"after", e.cfg.RestoreTimeout)
			e.routeLater(run, conf)
			routes = true
			continue
		case <-ticker.C:
		}
		if err := e.keeper.restore(run); err != nil {
			continue
		}
		if !routes {
			e.routeLater(run, conf)
		}
		e.logger.Info("The silences and alerts of the last run are there")
		e.keep(run)
		return
	}
}

// routeLater reports what Start would have returned.
func (e *amExtension) routeLater(run context.Context, conf *embedded.Configuration) {
	if err := e.begin(run, conf); err != nil {
		e.reloader.fail(err)
	}
}

// route begins with the state.
func (e *amExtension) route(run context.Context, conf *embedded.Configuration) error {
	if err := e.begin(run, conf); err != nil {
		return errors.Join(err, e.Shutdown(context.Background()))
	}
	e.keep(run)
	return nil
}

// keep works beside the routing until the shutdown.
func (e *amExtension) keep(run context.Context) {
	e.background.Go(func() { e.keeper.run(run) })
	e.background.Go(func() { e.keeper.renew(run) })
	e.background.Go(func() { e.keeper.traceMessages(run) })
}

// restore reads silences, notifications and alerts. It can be called again after an error.
func (k *keeper) restore(ctx context.Context) error {
	k.followed = time.Now()
	if err := k.pull(ctx); err != nil {
		return fmt.Errorf("read silences and notifications: %w", err)
	}
	told, err := notified(k.engine.Notifications())
	if err != nil {
		return fmt.Errorf("read the notification log: %w", err)
	}
	open, err := k.store.OpenNotifications(ctx)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	told.doubt(k.doubt(open))
	if err := k.restoreFiring(ctx, told); err != nil {
		return fmt.Errorf("read firing alerts: %w", err)
	}
	if err := k.restoreResolved(ctx, told); err != nil {
		return fmt.Errorf("read alerts that ended: %w", err)
	}
	return nil
}

// restoreFiring takes over alerts that fire.
func (k *keeper) restoreFiring(ctx context.Context, told *notifications) error {
	return k.eachPage(ctx, alert.Query{Status: alert.Firing}, func(page []alert.Record) (bool, error) {
		var firing []alert.Alert
		for i := range page {
			if told.firing(&page[i].Alert) {
				firing = append(firing, page[i].Alert)
			}
		}
		return true, k.put(ctx, firing)
	})
}

// restoreResolved takes over alerts that ended, and of which somebody knows only that they fire.
func (k *keeper) restoreResolved(ctx context.Context, told *notifications) error {
	if !told.waiting() {
		return nil
	}
	query := alert.Query{Status: alert.Resolved, From: told.since}
	return k.eachPage(ctx, query, func(page []alert.Record) (bool, error) {
		var resolved []alert.Alert
		for i := range page {
			if told.resolve(&page[i].Alert) {
				resolved = append(resolved, page[i].Alert)
			}
		}
		return told.waiting(), k.put(ctx, resolved)
	})
}

// put takes over alerts. One that Alertmanager does not take would not have been notified before, either.
func (k *keeper) put(ctx context.Context, alerts []alert.Alert) error {
	err := k.engine.Put(ctx, alerts...)
	if errors.Is(err, alertmanager.ErrInvalid) {
		k.logger.Warn("Stored alerts cannot be taken over", "err", err)
		return nil
	}
	return err
}

// eachPage calls with pages of stored alerts until there is no more, or no more is wanted.
func (k *keeper) eachPage(ctx context.Context, q alert.Query, use func([]alert.Record) (more bool, err error)) error {
	q.Page.Limit = state.MaxPageSize
	for {
		list, err := k.store.Alerts(ctx, q)
		if err != nil {
			return err
		}
		more, err := use(list.Alerts)
		if err != nil || !more || list.Next == "" {
			return err
		}
		q.Page.After = list.Next
	}
}
