package e2e

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"
)

// waves break services and mend them, one after another in each of some lanes, for as long as a fault lasts. A wave is
// over when the rules have told both, whatever the database does.
type waves struct {
	c        *collector
	stop     chan struct{}
	done     sync.WaitGroup
	over     atomic.Int64
	failure  atomic.Pointer[error]
	mu       sync.Mutex
	services []string
}

func startWaves(c *collector, lanes int) *waves {
	w := &waves{c: c, stop: make(chan struct{})}
	for lane := range lanes {
		w.done.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-w.stop:
					return
				default:
				}
				if err := w.wave(fmt.Sprintf("lane-%d-%d", lane, n)); err != nil {
					w.failure.Store(&err)
					return
				}
			}
		})
	}
	return w
}

func (w *waves) wave(service string) error {
	for _, value := range []int{1, 0} {
		if err := w.c.trySetBroken(service, brokenSeries, value); err != nil {
			return err
		}
		if err := w.told(service, value*rulesOfBroken*brokenSeries); err != nil {
			return err
		}
	}
	w.mu.Lock()
	w.services = append(w.services, service)
	w.mu.Unlock()
	w.over.Add(1)
	return nil
}

// told waits until the rules have so many alerts of a service that fire.
func (w *waves) told(service string, alerts int) error {
	tick := time.NewTicker(pollEach)
	defer tick.Stop()
	deadline := time.After(patience)
	for {
		got, err := w.c.toldAlerts(service)
		if err == nil && got == alerts {
			return nil
		}
		select {
		case <-tick.C:
		case <-deadline:
			return fmt.Errorf("rules tell %d alerts of %s, want %d: %w", got, service, alerts, err)
		}
	}
}

// toldAlerts counts the alerts of a service that fire, by the rules' own series.
func (c *collector) toldAlerts(service string) (int, error) {
	found, err := c.tryQuery(fmt.Sprintf(`count(ALERTS{alertstate="firing", service=%q})`, service))
	if err != nil || len(found) == 0 {
		return 0, err
	}
	return int(found[0].Value.value), nil
}

// awaitMore waits for so many further waves.
func (w *waves) awaitMore(n int64) {
	w.c.t.Helper()
	want := w.over.Load() + n
	await(w.c.t, "waves of alerts", func() error {
		if failure := w.failure.Load(); failure != nil {
			w.c.t.Fatal(*failure)
		}
		return atLeast(int(w.over.Load()), int(want))
	})
}

// end lets the waves that have begun go out, and wants all that they told in the database, each thing once.
func (w *waves) end(d *database) {
	w.c.t.Helper()
	close(w.stop)
	w.done.Wait()
	if failure := w.failure.Load(); failure != nil {
		require.NoError(w.c.t, *failure)
	}
	for _, service := range w.services {
		d.awaitAlerts(w.c, service, rulesOfBroken*brokenSeries, "resolved", "mitigated")
		d.requireToldOnce(w.c, service, brokenSeries)
	}
	d.requireSound(w.c)
	w.c.t.Logf("%d waves of %d alerts", len(w.services), rulesOfBroken*brokenSeries)
}
