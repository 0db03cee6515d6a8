package sqlstoreextension

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"

	"github.com/quantivista/monitoring/extensions/sqlstoreextension/internal/metadata"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/alertmanager"
	"github.com/quantivista/monitoring/internal/componenthealth"
	"github.com/quantivista/monitoring/internal/evidence"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/maintenance"
	"github.com/quantivista/monitoring/internal/notification"
	"github.com/quantivista/monitoring/internal/report"
	"github.com/quantivista/monitoring/internal/rule"
	"github.com/quantivista/monitoring/internal/servicehealth"
	"github.com/quantivista/monitoring/internal/sqlstore"
	"github.com/quantivista/monitoring/internal/state"
)

// ports are what other components find in the extension, each by the port that it needs.
type ports interface {
	alert.Reader
	alert.ChangeReader
	alertmanager.Store
	evidence.Store
	incident.Reader
	incident.Writer
	rule.Store
	maintenance.Store
	report.Reader
	notification.Ledger
	notification.Reader
	servicehealth.Records
	servicehealth.Alerts
}

// startTimeout is how long Start waits for the database before the collector goes on without it.
const startTimeout = 10 * time.Second

// sqlStore offers the ports for as long as the collector runs. While the database is away they answer
// state.ErrUnavailable.
type sqlStore struct {
	ports

	store      *sqlstore.Store
	logger     *zap.Logger
	tracer     trace.Tracer
	checkEvery time.Duration

	stop context.CancelFunc
	done sync.WaitGroup
}

var (
	_ extension.Extension = (*sqlStore)(nil)
	_ ports               = (*sqlStore)(nil)
)

func newExtension(store *sqlstore.Store, set extension.Settings) *sqlStore {
	return &sqlStore{ports: store, store: store, logger: set.Logger, tracer: set.TracerProvider.Tracer(metadata.ScopeName), checkEvery: checkEvery}
}

// Start brings the schema up to date. A database that is away does not keep the collector from starting, so that
// its queues take what comes; a schema that this binary does not know does.
func (e *sqlStore) Start(ctx context.Context, host component.Host) error {
	attempt, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	err := e.store.Migrate(attempt)
	if err != nil && !errors.Is(err, state.ErrUnavailable) {
		return err
	}
	run, stop := context.WithCancel(context.Background())
	e.stop = stop
	w := &watcher{store: e.store, logger: e.logger, every: e.checkEvery, health: componenthealth.NewReporter(host), migrated: err == nil}
	w.report(err)
	e.done.Go(func() { w.run(run) })
	return nil
}

// Shutdown closes the connections. It may be called without Start, and twice.
func (e *sqlStore) Shutdown(context.Context) error {
	if e.stop != nil {
		e.stop()
		e.done.Wait()
	}
	return e.store.Close()
}
