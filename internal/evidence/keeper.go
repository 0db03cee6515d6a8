package evidence

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/state"
)

// Sources are where evidence is fetched from; nil for those that are not configured.
type Sources struct {
	Metrics MetricSource
	Traces  TraceSource
	Logs    LogSource
}

// Alerts gives the alerts of incidents.
type Alerts interface {
	RelatedAlerts(ctx context.Context, incidentIDs []string, limit int) (map[string][]alert.Record, error)
}

// Observer is told what a Keeper does, in its loop.
type Observer struct {
	// Round is told of the end of each round: nil, or why it ended early.
	Round func(error)
	// Asked is told how an attempt with a source went, for one incident: nil where it answered.
	Asked func(Source, error)
}

// Keeper collects evidence, in the background: nothing waits for it. Replicas share the work.
type Keeper struct {
	store    Store
	alerts   Alerts
	sources  Sources
	settings Settings
	now      func() time.Time
	worker   string
	told     Observer

	// from bounds the search for new incidents; it belongs to the loop.
	from time.Time
}

// NewKeeper makes a Keeper.
func NewKeeper(store Store, alerts Alerts, sources Sources, s Settings, now func() time.Time, told Observer) *Keeper {
	return &Keeper{store: store, alerts: alerts, sources: sources, settings: s, now: now, worker: uuid.NewString(), told: told}
}

const (
	// relatedAlerts is how many alerts of an incident are looked at.
	relatedAlerts = 100
	// atOnce is how many incidents one query for those that are due gives.
	atOnce = 50
	// sleepers is how old an incident may be whose collection was never begun, as after an upgrade or a long stop. Behind
	// the first search only those are looked for that may have been stored meanwhile.
	sleepers, overlap = 24 * time.Hour, time.Hour
)

// Run collects until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	for {
		// Replicas do not ask in step.
		pause := time.NewTimer(time.Duration(float64(k.settings.Interval) * (0.9 + 0.2*rand.Float64()))) //nolint:gosec // Nobody gains by guessing it.
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
		err := k.Round(ctx)
		if ctx.Err() != nil {
			return
		}
		k.told.Round(err)
	}
}

// Round collects what is due now. The error is the store's: that of a source is kept with the incident.
func (k *Keeper) Round(ctx context.Context) error {
	began := k.now()
	if k.from.IsZero() {
		k.from = began.Add(-sleepers)
	}
	away := map[Source]error{} // a source that is away costs its time-out once a round
	for {
		now := k.now()
		ids, err := k.store.DueEvidence(ctx, Due{
			Now: now, CreatedFrom: k.from, CreatedTo: now.Add(-k.settings.FirstAfter), EndedBefore: now.Add(-k.settings.Settle), Limit: atOnce,
		})
		if err != nil {
			return fmt.Errorf("look for incidents whose evidence is due: %w", err)
		}
		for _, id := range ids {
			if err := k.take(ctx, id, away); err != nil {
				return fmt.Errorf("collect the evidence of incident %s: %w", id, err)
			}
		}
		if len(ids) < atOnce {
			k.from = began.Add(-overlap - k.settings.FirstAfter)
			return nil
		}
	}
}

// lease is how long one incident may take at most, and some time more.
func (k *Keeper) lease() time.Duration { return 4*k.settings.Timeout + time.Minute }

// take looks at one incident, unless another worker does.
func (k *Keeper) take(ctx context.Context, id string, away map[Source]error) error {
	now := k.now()
	c, err := k.store.ClaimEvidence(ctx, id, k.worker, now, now.Add(k.lease()))
	if errors.Is(err, state.ErrConflict) || errors.Is(err, state.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if c.Collection.Stage == "" {
		c.Collection = k.settings.begin(&c.Incident)
	}
	related, err := k.alerts.RelatedAlerts(ctx, []string{id}, relatedAlerts)
	if err != nil {
		return err
	}
	c.Alerts = related[id]
	due, next := k.settings.look(&c.Collection, &c.Incident, now)
	asked := retries(&c.Collection, now)
	if due {
		asked = []Source{Metrics, Traces, Logs}
	}
	windows := k.settings.windows(c, now)
	next.Sources = k.ask(ctx, c, asked, windows, now, away)
	if err := ctx.Err(); err != nil {
		return err // what was not asked to its end is asked again
	}
	if len(asked) > 0 {
		next.Start, next.End, next.CollectedAt = windows[0].Start, windows[len(windows)-1].End, now
	}
	told := next.tell(&c.Evidence)
	err = k.store.SaveEvidence(ctx, k.worker, &next, &c.Evidence, dueAt(&next), told)
	if errors.Is(err, state.ErrConflict) || errors.Is(err, state.ErrNotFound) {
		return nil // it took longer than the lease, or the incident is gone
	}
	return err
}

// ask asks sources, puts what they give into the evidence of the case, and gives how all sources stand.
func (k *Keeper) ask(ctx context.Context, c *Case, sources []Source, windows []Window, now time.Time, away map[Source]error) map[Source]SourceState {
	states := map[Source]SourceState{}
	for source, known := range c.Collection.Sources {
		if k.has(source) {
			states[source] = known
		}
	}
	var named []Trace // by exemplars: more than are kept, since most have no spans
	for _, source := range sources {
		if !k.has(source) {
			continue
		}
		err := away[source]
		if err == nil {
			var found Evidence
			found, err = k.fetch(ctx, source, c, windows, named)
			if ctx.Err() == nil {
				k.told.Asked(source, err)
			}
			if source == Metrics {
				named = found.Traces
			}
			c.Evidence = Merge(&c.Evidence, &found, &k.settings.Budget)
			if err != nil {
				away[source] = err
			}
		}
		states[source] = k.settings.note(states[source], now, err)
	}
	return states
}

func (k *Keeper) has(source Source) bool {
	switch source {
	case Metrics:
		return k.sources.Metrics != nil
	case Traces:
		return k.sources.Traces != nil
	default:
		return k.sources.Logs != nil
	}
}

// fetch asks one source, in time. What it gave before an error counts.
func (k *Keeper) fetch(ctx context.Context, source Source, c *Case, windows []Window, named []Trace) (found Evidence, err error) {
	limited, cancel := context.WithTimeout(ctx, k.settings.Timeout)
	defer cancel()
	switch source {
	case Metrics:
		all := Window{windows[0].Start, windows[len(windows)-1].End}
		found, err = metricsOf(limited, k.sources.Metrics, c, all, &k.settings.Budget)
	case Traces:
		found, err = tracesOf(limited, k.sources.Traces, c, named, windows, &k.settings.Budget)
	default:
		found, err = logsOf(limited, k.sources.Logs, c, windows, &k.settings.Budget)
	}
	if err != nil && errors.Is(limited.Err(), context.DeadlineExceeded) && ctx.Err() == nil {
		err = fmt.Errorf("%s take longer than %s: %w", source, k.settings.Timeout, err)
	}
	return found, err
}
