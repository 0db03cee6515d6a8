package sqlstoreextension

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/quantivista/monitoring/internal/componenthealth"
	"github.com/quantivista/monitoring/internal/sqlstore"
	"github.com/quantivista/monitoring/internal/state"
)

const (
	// checkEvery is how often the database is asked whether it is there.
	checkEvery = 5 * time.Second
	// checkTimeout ends a question that is not answered.
	checkTimeout = 10 * time.Second
	// slowestMigrate bounds the pause between two attempts to bring the schema up to date.
	slowestMigrate = 30 * time.Second
)

// watcher tells whether the database is there and takes writes, and brings the schema up to date once it is.
type watcher struct {
	store    *sqlstore.Store
	logger   *zap.Logger
	every    time.Duration
	health   *componenthealth.Reporter
	migrated bool
	failing  bool
}

// run ends with ctx, or once the store cannot go on.
func (w *watcher) run(ctx context.Context) {
	if w.migrated {
		w.warm(ctx)
	}
	pause := w.every
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		err := w.look(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !w.migrated && !errors.Is(err, state.ErrUnavailable) {
			w.logger.Error("The state store cannot go on", zap.Error(err))
			w.health.Fatal(err)
			return
		}
		w.report(err)
		if w.migrated || err == nil {
			pause = w.every
		} else {
			pause = min(2*pause, max(w.every, slowestMigrate))
		}
		timer.Reset(pause)
	}
}

func (w *watcher) look(ctx context.Context) error {
	if w.migrated {
		ctx, cancel := context.WithTimeout(ctx, checkTimeout)
		defer cancel()
		if err := w.store.Ping(ctx); err != nil {
			return err
		}
		return w.store.Writable(ctx)
	}
	err := w.store.Migrate(ctx) // however long it takes
	w.migrated = err == nil
	if w.migrated {
		w.warm(ctx)
	}
	return err
}

// warm makes the first answers as fast as later ones. Where it fails they are slow, and the next look tells why.
func (w *watcher) warm(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if err := w.store.Warm(ctx); err != nil {
		w.logger.Debug("The connections of the state database were not warmed up", zap.Error(err))
	}
}

// report logs when the database goes and comes, and tells the host.
func (w *watcher) report(err error) {
	switch {
	case err != nil && !w.failing:
		w.logger.Warn("The state database is not available; what is to be stored waits in queues where there are any", zap.Error(err))
	case err == nil && w.failing:
		w.logger.Info("The state database is available again")
	}
	w.failing = err != nil
	w.health.Report(err)
}
