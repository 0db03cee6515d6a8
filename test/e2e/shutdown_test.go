package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Queries that would run for minutes, over 10,000 steps.
var (
	// The engine asks at each step of these additions whether it is to end.
	longQuery = `count(busy` + strings.Repeat(" + busy", 60) + `)`
	// It does not ask while it goes through the one series that this function gives.
	stubbornQuery = `quantile_over_time(0.5, vector(time())[1h:1ms])`
)

func TestShutdownWithRequestsInFlight(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, query string }{
		{"a long query", longQuery},
		{"a query that does not notice", stubbornQuery},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := startCollector(t, allInOne)
			c.send(gauges("busy", "busy", 0, 400, time.Now(), 1))
			l := startLoad(c, 4)
			l.awaitMore(50)
			answered := c.startQuery(thousandsOfSteps(test.query))
			await(t, "the query runs", func() error { return c.runningQueries(1) })

			begin := time.Now()
			c.terminate()
			t.Logf("exit %s after SIGTERM, %d batches acknowledged", time.Since(begin).Round(time.Millisecond), l.count.Load())
			l.end()
			assert.NotEqual(t, http.StatusOK, <-answered, "the query ran until the shutdown")
			for _, line := range c.log().lines("\terror\t") {
				assert.Contains(t, line, "API server failed", "only the prometheus receiver takes its end for an error")
			}

			c.start()
			l.requireAll(c)
		})
	}
}

// thousandsOfSteps is a range query of 10,000 steps, from now on.
func thousandsOfSteps(expr string) url.Values {
	from := time.Now().Add(time.Second)
	return url.Values{
		"query": {expr}, "step": {"1ms"},
		"start": {from.Format(time.RFC3339Nano)}, "end": {from.Add(10 * time.Second).Format(time.RFC3339Nano)},
	}
}

// startQuery gives the status of the answer, 0 where there is none.
func (c *collector) startQuery(query url.Values) <-chan int {
	answered := make(chan int, 1)
	go func() {
		status, _, err := tryRequest(http.MethodGet, at(c.api, "/api/v1/metrics?"+query.Encode()), "", nil)
		if err != nil {
			status = 0
		}
		answered <- status
	}()
	return answered
}
