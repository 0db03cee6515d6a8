package monitoringapiextension

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/api"
)

// scraped stands for a prometheus receiver's API server: one target that is up and one that was never scraped.
func scraped(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		fmt.Fprint(w, `{"status":"success","data":{"activeTargets":[
			{"discoveredLabels":{},"labels":{"instance":"a:80","job":"a"},"scrapePool":"a","scrapeUrl":"http://a:80/metrics","globalUrl":"",
			"lastError":"connection refused","lastScrape":"2025-06-20T15:08:23.5Z","lastScrapeDuration":0.25,"health":"down",
			"scrapeInterval":"15s","scrapeTimeout":"10s"},
			{"discoveredLabels":{},"labels":{"job":"b"},"scrapePool":"b","scrapeUrl":"http://b:80/metrics","globalUrl":"","lastError":"",
			"lastScrape":"0001-01-01T00:00:00Z","lastScrapeDuration":0,"health":"unknown","scrapeInterval":"1m","scrapeTimeout":"10s"}],
			"droppedTargets":[],"droppedTargetCounts":null}}`)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func gone(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	return server.URL
}

// scraping configures the extension with receivers at these addresses.
func scraping(urls ...string) func(*Config) {
	return func(c *Config) {
		for _, u := range urls {
			var each ScrapeAPIConfig
			each.Endpoint, each.Timeout = u, 5*time.Second
			c.ScrapeAPI = append(c.ScrapeAPI, each)
		}
	}
}

func TestScrapeTargets(t *testing.T) {
	_, base := start(t, newTestStore(t, ""), scraping(scraped(t)))
	got := get(t, base+"/api/v1/metrics/targets")
	require.Equal(t, http.StatusOK, got.status, got.body)
	assert.JSONEq(t, `[
		{"targetUrl":"http://a:80/metrics","labels":{"instance":"a:80","job":"a"},"health":"down","lastScrape":"2025-06-20T15:08:23.5Z",
		"scrapeInterval":"15s","scrapeTimeout":"10s","scrapePool":"a","lastError":"connection refused","lastScrapeDuration":0.25},
		{"targetUrl":"http://b:80/metrics","labels":{"job":"b"},"health":"unknown","scrapeInterval":"1m","scrapeTimeout":"10s",
		"scrapePool":"b","lastScrapeDuration":0}]`, got.body)
	assert.Empty(t, got.header.Get("Warning"))

	assert.Contains(t, get(t, base+"/prometheus/api/v1/targets").body, `"scrapeUrl":"http://a:80/metrics"`)
}

func TestScrapeTargetsWithoutReceivers(t *testing.T) {
	_, base := start(t, newTestStore(t, ""))
	got := get(t, base+"/api/v1/metrics/targets")
	assert.Equal(t, http.StatusOK, got.status)
	assert.JSONEq(t, `[]`, got.body)
}

func TestScrapeTargetsOfMissingReceivers(t *testing.T) {
	missing := gone(t)
	t.Run("some", func(t *testing.T) {
		_, base := start(t, newTestStore(t, ""), scraping(missing, scraped(t)))
		got := get(t, base+"/api/v1/metrics/targets")
		assert.Equal(t, http.StatusOK, got.status)
		assert.Len(t, decode[[]api.ScrapeTarget](t, got), 2)
		assert.Contains(t, got.header.Get("Warning"), missing)
	})
	t.Run("all", func(t *testing.T) {
		_, base := start(t, newTestStore(t, ""), scraping(missing))
		got := get(t, base+"/api/v1/metrics/targets")
		assert.Equal(t, http.StatusServiceUnavailable, got.status)
		assert.Contains(t, got.problem(t).Detail, missing)
	})
}
