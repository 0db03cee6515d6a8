package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const customMetric = `{"metrics": [{"name": "rows", "value": 1}]}`

func TestCustomMetricsWithoutAPipeline(t *testing.T) {
	t.Parallel()
	c := startCollector(t, allInOne, withOverlay("{service: {pipelines: {metrics: {receivers: [prometheus, spanmetrics]}}}}"))
	resp, body, err := tryRequestFull(client, http.MethodPost, at(c.api, "/api/v1/metrics/custom"), "application/json", []byte(customMetric), nil)
	require.NoError(t, err)
	p := requireProblem(t, http.StatusNotFound, resp, body)
	assert.Contains(t, p.Detail, "custom_metrics", "what to declare")
}

// Out of memory, senders are told to come back; with memory, what they send is taken again. The memory is a
// query's: it collects 16 million samples of 16 bytes and sorts them.
func TestTheMemoryLimiterRefusesForAWhile(t *testing.T) {
	t.Parallel()
	c := startCollector(t, allInOne, withReplaced("limit_percentage: 75", "limit_mib: 200"),
		withReplaced("spike_limit_percentage: 20", "spike_limit_mib: 50"))
	c.send(gauges("shop", "before", 0, 1, time.Now(), 1))
	send := func() (status int, answer string, err error) {
		return c.trySend(gauges("shop", "meanwhile", 0, 1, time.Now(), 1))
	}

	answered := c.startQuery(url.Values{"query": {`quantile_over_time(0.5, vector(time())[16000s:1ms])`}})
	await(t, "refusals", func() error {
		status, answer, err := send()
		if err == nil && status != http.StatusServiceUnavailable {
			err = fmt.Errorf("%d: %s", status, answer)
		}
		return err
	})
	resp, body, err := tryRequestFull(client, http.MethodPost, at(c.api, "/api/v1/metrics/custom"), "application/json", []byte(customMetric), nil)
	require.NoError(t, err)
	requireProblem(t, http.StatusServiceUnavailable, resp, body)
	assert.NotEmpty(t, resp.Header.Get("Retry-After"))
	assert.InDelta(t, 1, c.number("before"), 0, "queries are answered all the while")
	_, peak := c.rss()
	t.Logf("memory at its peak: %d MiB", peak)

	assert.Equal(t, http.StatusOK, <-answered)
	await(t, "samples are taken again", func() error {
		status, answer, err := send()
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%d: %s", status, answer)
		}
		return err
	})
}

func TestQueriesOverTheirLimits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, limit, expr string
		want              int
	}{
		{"too many samples", "max_samples: 1000", "count(wide)", http.StatusUnprocessableEntity},
		{"too long", "timeout: 1ms", "count(wide" + strings.Repeat(" + wide", 100) + ")", http.StatusServiceUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := startCollector(t, allInOne, withOverlay("{extensions: {metric_store: {query: {"+test.limit+"}}}}"))
			c.send(gauges("shop", "wide", 0, 2000, time.Now(), 1))
			target := at(c.api, "/api/v1/metrics?"+url.Values{"query": {test.expr}}.Encode())
			resp, body, err := tryRequestFull(client, http.MethodGet, target, "", nil, nil)
			require.NoError(t, err)
			p := requireProblem(t, test.want, resp, body)
			require.Len(t, p.Errors, 1)
			assert.Equal(t, "query", p.Errors[0].Field)
		})
	}
}
