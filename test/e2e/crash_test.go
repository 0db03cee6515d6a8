package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestKilledUnderLoadLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	c := startCollector(t, allInOne)
	var loads []*load
	// The later rounds have a log with a past.
	for range 3 {
		l := startLoad(c, 4)
		l.awaitMore(200)
		c.kill()
		l.done.Wait()
		loads = append(loads, l)

		c.start()
		for _, l := range loads {
			l.requireAll(c)
		}
	}
}

func TestKilledWith100000SeriesStartsAgain(t *testing.T) {
	t.Parallel()
	c := startCollector(t, allInOne)
	const total, perRequest = 100_000, 5_000
	now := time.Now()
	for first := 0; first < total; first += perRequest {
		c.send(gauges("many", "many_series", first, perRequest, now, 1))
	}
	c.kill()

	begin := time.Now()
	c.start()
	t.Logf("ready %s after the start with %d series", time.Since(begin).Round(time.Millisecond), total)
	assert.InDelta(t, total, c.number("count(many_series)"), 0)
	c.send(gauges("many", "many_series", 0, perRequest, now.Add(time.Second), 2))
	assert.InDelta(t, perRequest, c.number("count(many_series == 2)"), 0)
}
