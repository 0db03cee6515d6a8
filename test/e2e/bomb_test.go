package e2e

import (
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// maxBombMemory is what a process may take, in MiB, while the bombs below run: 50 million samples of 16 bytes
// that a query may hold, two at a time, and as much again until the garbage is collected.
const maxBombMemory = 4096

// A query bomb is refused, or ends within its limits, and meanwhile samples are taken.
func TestAQueryBomb(t *testing.T) {
	t.Parallel()
	c := startCollector(t, allInOne)
	now := time.Now()
	for age := 20 * time.Minute; age > 0; age -= 30 * time.Second {
		c.send(gauges("bomb", "bomb_series", 0, 5000, now.Add(-age), 1))
	}
	l := startLoad(c, 1)

	const month = 30 * 24 * time.Hour
	span := url.Values{"start": {fromNow(-month)}, "end": {fromNow(0)}, "step": {strconv.Itoa(int(month.Seconds() / 10_000))}}
	for _, bomb := range []struct {
		name, path, expr string
		want             []int
	}{
		{"every series", "/api/v1/metrics", `{__name__=~".+"}`, []int{http.StatusOK, http.StatusUnprocessableEntity, http.StatusServiceUnavailable}},
		{"every series, by Prometheus' API", "/prometheus/api/v1/query_range", `{__name__=~".+"}`, []int{http.StatusOK, http.StatusUnprocessableEntity, http.StatusServiceUnavailable}},
		{"every series at every step", "/api/v1/metrics", `count_over_time({__name__=~".+"}[30d] offset -30d)`, []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable}},
	} {
		t.Run(bomb.name, func(t *testing.T) {
			span.Set("query", bomb.expr)
			before, begin := l.count.Load(), time.Now()
			status, body := get(t, at(c.api, bomb.path+"?"+span.Encode()))
			now, peak := c.rss()
			t.Logf("%d after %s; %d batches were acknowledged meanwhile, the slowest after %s; memory %d MiB, peak %d MiB: %.200s",
				status, time.Since(begin).Round(time.Millisecond), l.count.Load()-before,
				time.Duration(l.slowest.Load()).Round(time.Millisecond), now, peak, body)
			assert.Contains(t, bomb.want, status)
			assert.Greater(t, l.count.Load(), before, "samples are taken meanwhile")
			assert.Less(t, peak, maxBombMemory, "MiB")
		})
	}
	l.awaitMore(5)
	l.end()
	assert.Zero(t, l.refused.Load())
	require.NoError(t, c.ready())
	l.requireAll(c)
}
