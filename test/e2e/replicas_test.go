package e2e

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReplicas has two collectors, each with a metric store of its own that gets the same metrics, evaluate the same
// rules on one PostgreSQL, with clocks that agree and with one that is off. There is one alert, one incident and one
// story of each, and no complaint in either log. Where the clocks are further apart than an alert lasts, what one saw lies
// behind what the other saw, and the timeline tells that the alert fired again; but it is one alert in one incident still.
func TestReplicas(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{0, 30 * time.Second, -30 * time.Second, 5 * time.Minute, -5 * time.Minute} {
		t.Run("a clock that is off by "+skew.String(), func(t *testing.T) {
			t.Parallel()
			d := newPostgres(t)
			pair := replicas{d: d, both: []*collector{startWithRules(t, d.option()), startWithRules(t, d.option(), withClockOff(skew))}}
			pair.requireSkew(skew)
			for round := range rounds(t, 2, 20) {
				service := fmt.Sprintf("service-%d", round)
				pair.setBroken(service, 1)
				pair.awaitTold(service, rulesOfBroken*brokenSeries)
				d.awaitAlerts(pair.both[0], service, rulesOfBroken*brokenSeries, "firing", "open")
				pair.setBroken(service, 0)
				pair.awaitTold(service, 0)
				d.awaitAlerts(pair.both[0], service, rulesOfBroken*brokenSeries, "resolved", "mitigated")
				if skew == 0 {
					d.requireToldOnce(pair.both[0], service, brokenSeries)
				}
				for _, c := range pair.both {
					c.requireServed(service, rulesOfBroken*brokenSeries, "resolved")
				}
			}
			d.requireSound(pair.both[0])
			for _, c := range pair.both {
				c.terminate()
				assert.Empty(t, c.complaints())
			}
		})
	}
}

// withClockOff has the collector's clock be off by whole seconds, as a machine's without NTP. Its timers are not.
func withClockOff(by time.Duration) option {
	return func(s *settings) { s.clockOff = by }
}

// replicas are collectors on one database.
type replicas struct {
	d    *database
	both []*collector
}

// setBroken gives both the same metrics, at once.
func (r *replicas) setBroken(service string, value int) {
	r.d.t.Helper()
	var done sync.WaitGroup
	failures := make([]error, len(r.both))
	for i, c := range r.both {
		done.Go(func() { failures[i] = c.trySetBroken(service, brokenSeries, value) })
	}
	done.Wait()
	for _, failure := range failures {
		require.NoError(r.d.t, failure)
	}
}

// awaitTold waits until the rules of both tell so many alerts of a service that fire.
func (r *replicas) awaitTold(service string, alerts int) {
	r.d.t.Helper()
	for _, c := range r.both {
		await(r.d.t, "the rules of both tell", func() error {
			got, err := c.toldAlerts(service)
			if err == nil && got != alerts {
				err = fmt.Errorf("%d of %d", got, alerts)
			}
			return err
		})
	}
}

// requireSkew makes sure that the clock of the second is off.
func (r *replicas) requireSkew(skew time.Duration) {
	r.d.t.Helper()
	clocks := make([]float64, len(r.both))
	for i, c := range r.both {
		clocks[i] = c.number("time()")
	}
	require.InDelta(r.d.t, skew.Seconds(), clocks[1]-clocks[0], 20)
}
