package alertmanagerextension

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/alertmanager/nflog"
	"go.opentelemetry.io/otel/trace"

	"github.com/quantivista/monitoring/extensions/alertmanagerextension/internal/embedded"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/alertmanager"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/maintenance"
	"github.com/quantivista/monitoring/internal/notification"
)

// stateStore is what a sql_store extension gives.
type stateStore interface {
	alertmanager.Store
	alert.Reader
	alert.ChangeReader
	notification.Ledger
	notification.Reader
	maintenance.Reader
	incident.AcknowledgementReader
}

const (
	// saveTimeout bounds the storing of what somebody waits for.
	saveTimeout = 5 * time.Second
	// dropEvery is how often expired entries are deleted from the store.
	dropEvery = 15 * time.Minute
)

// keeper keeps silences and the notification log in a store, and takes over what other replicas stored there.
type keeper struct {
	store  stateStore
	cfg    *Config
	logger *slog.Logger
	tracer trace.Tracer
	quiet  *quiet
	engine *embedded.Engine // set before anything else is called

	// turn is held by what changes silences and stores the change, so that what waits in changed is its own.
	turn sync.Mutex

	mu      sync.Mutex
	changed [][]byte                      // silences that are not stored yet
	unsaved map[string]alertmanager.Entry // notifications that are not stored yet, by key
	// outcomes of attempts that are not stored yet, by notification
	outcomes map[string]*notification.Notification
	// sent are those that the notification log will say next that they were, by ID
	sent   map[string]*notification.Notification
	doubts map[notification.Target]*doubt
	// untraced messages are to be added to the traces of their incidents, and traceNow says that there is a new one
	untraced []*untraced
	traceNow chan struct{}

	// name tells this process from others that send, and sending is how many attempts are under way.
	name    string
	sending atomic.Int64

	pulling  sync.Mutex
	revision int64 // up to which all is taken over
	// pulls counts those that have begun, and pulled is the number of the last that succeeded.
	pulls  atomic.Int64
	pulled int64

	// These belong to the synchronisation.
	dropped  time.Time
	failing  bool
	followed time.Time            // when changes of alerts were last taken over
	versions map[string]int64     // of alerts that were taken over lately, by ID
	seen     map[string]time.Time // when they were
}

func newKeeper(store stateStore, cfg *Config, logger *slog.Logger, tracer trace.Tracer) *keeper {
	return &keeper{
		store: store, cfg: cfg, logger: logger, tracer: tracer, quiet: newQuiet(store, logger), name: uuid.NewString(),
		unsaved: map[string]alertmanager.Entry{}, outcomes: map[string]*notification.Notification{},
		sent: map[string]*notification.Notification{}, doubts: map[notification.Target]*doubt{},
		versions: map[string]int64{}, seen: map[string]time.Time{}, traceNow: make(chan struct{}, 1),
	}
}

// silenceChanged takes note of a change. The silences are locked meanwhile.
func (k *keeper) silenceChanged(change []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.changed = append(k.changed, bytes.Clone(change))
}

// takeChanged gives the silences that are to be stored.
func (k *keeper) takeChanged() [][]byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	changed := k.changed
	k.changed = nil
	return changed
}

// run synchronises with the store until ctx ends.
func (k *keeper) run(ctx context.Context) {
	ticker := time.NewTicker(k.cfg.SyncInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := k.synchronise(ctx)
		if ctx.Err() != nil {
			return
		}
		switch {
		case err != nil && !k.failing:
			k.logger.Warn("Silences and notifications cannot be exchanged with the store for now: they are in memory, and stored later", "err", err)
		case err == nil && k.failing:
			k.logger.Info("Silences and notifications are exchanged with the store again")
		}
		k.failing = err != nil
	}
}

func (k *keeper) synchronise(ctx context.Context) error {
	if err := k.flush(ctx); err != nil {
		return err
	}
	if err := k.pull(ctx); err != nil {
		return err
	}
	if err := k.follow(ctx); err != nil {
		return err
	}
	if now := time.Now(); now.Sub(k.dropped) > dropEvery {
		k.dropped = now
		return errors.Join(k.store.DropEntries(ctx, now), k.store.DropNotifications(ctx, now.Add(-k.cfg.LedgerRetention)))
	}
	return nil
}

// flush stores what could not be stored when it changed, and what was gossiped.
func (k *keeper) flush(ctx context.Context) error {
	k.turn.Lock()
	defer k.turn.Unlock()
	changed := k.takeChanged()
	if err := k.saveSilences(ctx, changed); err != nil {
		k.giveBack(changed)
		return err
	}
	return errors.Join(k.saveNotifications(ctx), k.saveOutcomes(ctx))
}

func (k *keeper) giveBack(changed [][]byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.changed = append(changed, k.changed...)
}

// pull takes over what is new in the store. Of those that wait for it together one reads for all.
func (k *keeper) pull(ctx context.Context) error {
	before := k.pulls.Load()
	k.pulling.Lock()
	defer k.pulling.Unlock()
	if k.pulled > before {
		return nil // That one began when this was asked for already.
	}
	number := k.pulls.Add(1)
	for {
		entries, next, err := k.store.EntriesSince(ctx, k.revision)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			k.pulled = number
			return nil
		}
		if err := k.merge(entries); err != nil {
			// One that cannot be read must not keep the others from being.
			k.logger.Error("Stored silences or notifications cannot be read", "err", err)
		}
		k.revision = next
	}
}

// merge takes over entries, each of its own, and stores none of them again.
func (k *keeper) merge(entries []alertmanager.Entry) error {
	k.turn.Lock()
	defer k.turn.Unlock()
	before := k.takeChanged()
	var errs []error
	for _, entry := range entries {
		switch entry.Kind {
		case alertmanager.KindSilence:
			errs = append(errs, k.engine.Silences().Merge(entry.Data))
		case alertmanager.KindNotification:
			errs = append(errs, k.engine.Notifications().Merge(entry.Data))
		}
	}
	k.takeChanged()
	k.giveBack(before)
	return errors.Join(errs...)
}

// notified gives the stored form of what the notification log has.
func notified(l *nflog.Log) (*notifications, error) {
	data, err := l.MarshalBinary()
	if err != nil {
		return nil, err
	}
	return readNotifications(data)
}
