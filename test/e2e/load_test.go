package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"
)

// batchSize is how many series one batch of a writer has.
const batchSize = 200

// acknowledged are the time stamps of the batches that one writer got a 200 for.
type acknowledged []time.Time

// load are writers that send batches until they are told to stop or nobody listens. Writer w sends the gauge
// load{job="writer-<w>"} with batchSize series.
type load struct {
	c       *collector
	writers []acknowledged
	last    []time.Time  // time stamp of each writer's last batch, acknowledged or not
	count   atomic.Int64 // of all batches acknowledged
	refused atomic.Int64 // to be sent again
	failed  atomic.Int64 // answered with what no batch of ours deserves
	slowest atomic.Int64 // time to an acknowledgement, in nanoseconds
	stop    chan struct{}
	done    sync.WaitGroup
}

func newLoad(c *collector, writers int) *load {
	return &load{c: c, writers: make([]acknowledged, writers), last: make([]time.Time, writers), stop: make(chan struct{})}
}

func startLoad(c *collector, writers int) *load {
	l := newLoad(c, writers)
	for w := range writers {
		l.done.Go(func() { l.write(w) })
	}
	return l
}

// write sends batch after batch until the collector is gone.
func (l *load) write(w int) {
	sender := newClient()
	defer sender.CloseIdleConnections()
	for {
		select {
		case <-l.stop:
			return
		default:
		}
		if err := l.once(w, sender); err != nil && !errors.Is(err, errRetry) {
			return
		}
	}
}

// errRetry tells that a batch was refused for now.
var errRetry = errors.New("refused for now")

// once sends one batch, with a later time stamp than the batch before.
func (l *load) once(w int, sender *http.Client) error {
	begin := time.Now()
	at := begin.Truncate(time.Millisecond)
	if !at.After(l.last[w]) {
		at = l.last[w].Add(time.Millisecond)
	}
	l.last[w] = at
	status, answer, err := l.c.trySendBy(sender, gauges(fmt.Sprintf("writer-%d", w), "load", 0, batchSize, at, 1))
	switch {
	case err != nil:
		return err
	case status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests:
		l.refused.Add(1)
		return fmt.Errorf("%w: %d: %s", errRetry, status, answer)
	case status != http.StatusOK:
		l.failed.Add(1)
		return fmt.Errorf("%d: %s", status, answer)
	}
	l.slowest.Store(max(l.slowest.Load(), int64(time.Since(begin))))
	l.writers[w] = append(l.writers[w], at)
	l.count.Add(1)
	return nil
}

// awaitMore waits for so many further acknowledgements.
func (l *load) awaitMore(batches int64) {
	l.c.t.Helper()
	want := l.count.Load() + batches
	await(l.c.t, "acknowledgements", func() error { return atLeast(int(l.count.Load()), int(want)) })
}

// awaitRefusals waits until so many batches were refused for now.
func (l *load) awaitRefusals(batches int64) {
	l.c.t.Helper()
	await(l.c.t, "refusals", func() error { return atLeast(int(l.refused.Load()), int(batches)) })
}

// end stops the writers and waits for them.
func (l *load) end() {
	close(l.stop)
	l.done.Wait()
}

// requireAll wants every acknowledged sample from a collector.
func (l *load) requireAll(c *collector) {
	c.t.Helper()
	require.Zero(c.t, l.failed.Load(), "batches answered with neither 200 nor a status to send them again")
	for w, batches := range l.writers {
		// A writer that is quicker than a batch a millisecond is ahead of the clock.
		stored := c.query(fmt.Sprintf(`load{job="writer-%d"}[30m] offset -5m`, w))
		require.Len(c.t, stored, batchSize)
		for _, s := range stored {
			times := make(map[int64]bool, len(s.Values))
			for _, v := range s.Values {
				times[v.at.UnixMilli()] = true
			}
			lost := 0
			for _, at := range batches {
				if !times[at.UnixMilli()] {
					lost++
				}
			}
			require.Zero(c.t, lost, "of %d acknowledged samples of series %v are lost; %d are stored", len(batches), s.Metric, len(times))
		}
	}
}
