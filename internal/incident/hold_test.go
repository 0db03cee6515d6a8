package incident_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/state"
)

// quiet mutes alerts by their names.
type quiet map[string]bool

func (q quiet) muting(context.Context, time.Time) (func(*alert.Alert) []alert.Mute, error) {
	return func(a *alert.Alert) []alert.Mute {
		if !q[a.Name()] {
			return nil
		}
		return []alert.Mute{{Kind: alert.MutedByMaintenance, ID: "w", Name: "Patches"}}
	}, nil
}

// muted gives a bench whose alerts are muted.
func muted(t *testing.T) (*bench, quiet) {
	b, q := newBench(t), quiet{}
	b.correlator = b.correlator.WithMuting(q.muting)
	return b, q
}

// held gives the names of the alerts that wait.
func (b *bench) held() (names []string) {
	b.t.Helper()
	held, err := b.store.HeldAlerts(b.t.Context(), "", state.MaxPageSize)
	require.NoError(b.t, err)
	for _, h := range held {
		names = append(names, h.Name())
	}
	return names
}

func TestMutedAlertWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, q := muted(t)
		q["Slow"] = true
		slow := firing("Slow", alert.High, time.Now())
		assert.Equal(t, incident.Outcome{AlertsFired: 1, AlertsMuted: 1}, b.handle(slow))
		pass(time.Minute)
		slow.Severity, slow.UpdatedAt = alert.Critical, time.Now()
		assert.Equal(t, incident.Outcome{AlertsWorsened: 1}, b.handle(slow))
		assert.Zero(t, b.sweep())
		assert.Empty(t, b.incidents())
		assert.Equal(t, []string{"Slow"}, b.held())

		q["Slow"] = false
		assert.Zero(t, b.handle(slow), "it is for the sweep")
		assert.Equal(t, incident.Outcome{AlertsReleased: 1, Opened: 1}, b.sweep())
		assert.Zero(t, b.sweep())
		assert.Empty(t, b.held())
		in := b.only()
		assert.Equal(t, []any{incident.Open, alert.Critical, 1}, []any{in.Status, in.Severity, in.AlertCount})
		event := b.timeline(in.ID)[1]
		assert.Equal(t, "Slow joined, which has fired since 2000-01-01T00:00:00Z and is not muted any more by maintenance 'Patches'", event.Content)
		assert.Equal(t, []any{map[string]any{"kind": "maintenance", "id": "w", "name": "Patches"}}, event.Metadata["mutedBy"])

		q["Slow"] = true
		b.sweep()
		b.handle(resolved(slow))
		assert.Equal(t, incident.Mitigated, b.only().Status, "it stays with its incident")
		pass(time.Minute)
		assert.Equal(t, incident.Outcome{AlertsFlapped: 1, Reopened: 1}, b.handle(firing("Slow", alert.High, time.Now())))
	})
}

func TestAlertThatEndsWhileItIsMuted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, q := muted(t)
		q["Slow"] = true
		slow := firing("Slow", alert.High, time.Now())
		b.handle(slow)
		b.handle(resolved(slow))
		q["Slow"] = false
		assert.Zero(t, b.sweep())
		assert.Empty(t, b.incidents())
		pass(time.Minute)
		assert.Equal(t, incident.Outcome{AlertsFlapped: 1, Opened: 1}, b.handle(firing("Slow", alert.High, time.Now())))
	})
}

func TestOthersDoNotPullWhatIsMuted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, q := muted(t)
		b.handle(firing("Low", alert.Low, time.Now()))
		q["Low"], q["Slow"] = true, true
		assert.Equal(t, incident.Outcome{AlertsFired: 2, AlertsMuted: 1, Opened: 1},
			b.handle(firing("Slow", alert.High, time.Now()), firing("Down", alert.Critical, time.Now())))
		assert.Equal(t, 1, b.only().AlertCount)
		assert.ElementsMatch(t, []string{"Low", "Slow"}, b.held())
		clear(q)
		assert.Equal(t, incident.Outcome{AlertsReleased: 2}, b.sweep())
		assert.Equal(t, 3, b.only().AlertCount, "also the one that fired before it was muted")
	})
}

func TestReopenedIncidentHasItsMutedAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, q := muted(t)
		slow, down, full := firing("Slow", alert.High, time.Now()), firing("Down", alert.High, time.Now()), firing("Full", alert.High, time.Now())
		b.handle(slow, down, full)
		b.handle(resolved(slow), resolved(down), resolved(full))
		pass(11 * time.Minute)
		require.Equal(t, 1, b.sweep().Resolved)
		q["Slow"], q["Full"] = true, true
		b.handle(firing("Full", alert.High, time.Now()))
		assert.Equal(t, incident.Resolved, b.only().Status)
		b.handle(firing("Slow", alert.High, time.Now()), firing("Down", alert.High, time.Now()))
		assert.Equal(t, []any{incident.Open, 3}, []any{b.only().Status, b.only().AlertCount})
		assert.Empty(t, b.held(), "what is in an incident does not wait")
	})
}

func TestUnknownMutesAreForLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		away := b.correlator.WithMuting(func(context.Context, time.Time) (func(*alert.Alert) []alert.Mute, error) {
			return nil, state.ErrUnavailable
		})
		slow := firing("Slow", alert.High, time.Now())
		_, err := away.Handle(t.Context(), []alert.Alert{slow})
		require.ErrorIs(t, err, state.ErrUnavailable)
		_, _, err = away.Raise(t.Context(), []alert.Alert{slow})
		require.ErrorIs(t, err, state.ErrUnavailable)
		assert.Empty(t, b.incidents())
	})
}

// change is what may happen: an alert fires or ends, is muted or not muted any more, or the sweep comes.
type change struct {
	kind  string
	n     int
	pause time.Duration
	other bool // another replica does it
}

// TestMutedAlertsWhateverHappens checks that a firing alert is in an unresolved incident or waits, that what is muted
// when it fires opens and joins none, and that behind a sweep only what is muted waits.
func TestMutedAlertsWhateverHappens(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		changes := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) change {
			return change{
				kind: rapid.SampledFrom([]string{"fire", "fire", "fire", "resolve", "mute", "unmute", "sweep"}).Draw(t, "kind"),
				n:    rapid.IntRange(0, 3).Draw(t, "alert"), other: rapid.Bool().Draw(t, "other"),
				pause: time.Duration(rapid.SampledFrom([]int{1, 60, 660, 3000, 8000}).Draw(t, "pause")) * time.Second,
			}
		}), 1, 25).Draw(rt, "changes")
		var failure error
		synctest.Test(t, func(t *testing.T) {
			b, q := muted(t)
			other := *b
			other.correlator = b.correlator.WithMuting(q.muting)
			reports := map[int]alert.Alert{}
			for i, c := range changes {
				by := b
				if c.other {
					by = &other
				}
				if err := by.do(c, q, reports); err != nil {
					failure = fmt.Errorf("step %d, %+v: %w", i, c, err)
					return
				}
				pass(c.pause)
			}
			clear(q)
			b.sweep()
			if held := b.held(); len(held) > 0 {
				failure = fmt.Errorf("%v wait for nothing", held)
			}
		})
		if failure != nil {
			rt.Fatal(failure)
		}
	})
}

func (b *bench) do(c change, q quiet, reports map[int]alert.Alert) error {
	name := fmt.Sprint("Alert", c.n)
	before := b.linked()
	a, known := reports[c.n]
	switch c.kind {
	case "fire":
		if known && a.Status == alert.Firing {
			return nil
		}
		reports[c.n] = firing(name, alert.High, time.Now(), "service", []string{"cart", "shop"}[c.n%2])
		b.handle(reports[c.n])
		if after := b.linked(); q[name] && len(after) > len(before) {
			return errors.New("it is muted, and joined")
		}
	case "resolve":
		if known && a.Status == alert.Firing {
			reports[c.n] = resolved(a)
			b.handle(reports[c.n])
		}
	case "mute", "unmute":
		q[name] = c.kind == "mute"
	case "sweep":
		b.sweep()
		for _, held := range b.held() {
			if !q[held] {
				return fmt.Errorf("%s waits, and is not muted", held)
			}
		}
	}
	return b.nothingLost(reports)
}

// linked gives the alerts of unresolved incidents.
func (b *bench) linked() (all []alert.Record) {
	for _, in := range b.incidents() {
		records, err := b.store.RelatedAlerts(b.t.Context(), []string{in.ID}, state.MaxPageSize)
		require.NoError(b.t, err)
		if in.Status != incident.Resolved {
			all = append(all, records[in.ID]...)
		}
	}
	return all
}

func (b *bench) nothingLost(reports map[int]alert.Alert) error {
	linked, waits := map[string]bool{}, map[string]bool{}
	for _, r := range b.linked() {
		if r.Status == alert.Firing {
			linked[r.Name()] = true
		}
	}
	for _, name := range b.held() {
		waits[name] = true
	}
	for _, a := range reports {
		if firing := a.Status == alert.Firing; firing && linked[a.Name()] == waits[a.Name()] {
			return fmt.Errorf("%s fires; in an incident: %v, waiting: %v", a.Name(), linked[a.Name()], waits[a.Name()])
		} else if !firing && waits[a.Name()] {
			return fmt.Errorf("%s has ended, and waits", a.Name())
		}
	}
	return nil
}

func TestReplicasLetGoOnce(t *testing.T) {
	b, q := muted(t)
	for n := range 5 {
		q[fmt.Sprint("Alert", n)] = true
		b.handle(firing(fmt.Sprint("Alert", n), alert.High, time.Now()))
	}
	clear(q)
	outcomes := make([]incident.Outcome, 4)
	var replicas errgroup.Group
	for i := range outcomes {
		replica := b.correlator.WithMuting(q.muting)
		replicas.Go(func() (err error) {
			outcomes[i], err = replica.Sweep(context.Background())
			return err
		})
	}
	require.NoError(t, replicas.Wait())
	released := 0
	for _, o := range outcomes {
		released += o.AlertsReleased
	}
	assert.Equal(t, 5, released)
	assert.Equal(t, 5, b.only().AlertCount)
	assert.Len(t, b.timeline(b.only().ID), 6, "told once")
}

// One that its incident refuses does not keep others back.
func TestRefusedAlertStaysHeldAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, q := muted(t)
		for n := range 5 {
			q[fmt.Sprint("Alert", n)] = true
			b.handle(firing(fmt.Sprint("Alert", n), alert.High, time.Now(), "service", fmt.Sprint("s", n)))
		}
		clear(q)
		picky := incident.NewCorrelator(refusing{b.store, "Alert3 on s3"}, b.rules, time.Now)
		outcome, err := picky.Sweep(t.Context())
		require.ErrorIs(t, err, state.ErrInvalid)
		require.ErrorContains(t, err, "Alert3")
		assert.Equal(t, incident.Outcome{AlertsReleased: 4, Opened: 4}, outcome)
		assert.Equal(t, []string{"Alert3"}, b.held())
		b.sweep()
		assert.Empty(t, b.held())
	})
}

// refusing is a store that does not take incidents of one title.
type refusing struct {
	incident.Store
	title string
}

func (s refusing) Write(ctx context.Context, do func(context.Context, incident.Tx) error) error {
	return s.Store.Write(ctx, func(ctx context.Context, tx incident.Tx) error { return do(ctx, refusingTx{tx, s.title}) })
}

type refusingTx struct {
	incident.Tx
	title string
}

func (tx refusingTx) CreateIncident(ctx context.Context, in incident.Incident) (incident.Incident, error) {
	if in.Title == tx.title {
		return in, state.ErrInvalid
	}
	return tx.Tx.CreateIncident(ctx, in)
}
