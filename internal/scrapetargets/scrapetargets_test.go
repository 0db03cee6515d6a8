package scrapetargets

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// receiver stands for a prometheus receiver's API server with one target and one dropped one.
func receiver(t *testing.T, pool string) Source {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/targets", func(w http.ResponseWriter, r *http.Request) {
		counts := fmt.Sprintf(`{%q:1}`, pool)
		if r.URL.Query().Get("state") == "active" {
			counts = "null"
		}
		fmt.Fprintf(w, `{"status":"success","data":{"activeTargets":[{"discoveredLabels":{"__address__":"%[1]s:80"},
			"labels":{"instance":"%[1]s:80","job":"%[1]s"},"scrapePool":"%[1]s","scrapeUrl":"http://%[1]s:80/metrics",
			"globalUrl":"http://%[1]s:80/metrics","lastError":"","lastScrape":"2025-06-20T15:08:23Z","lastScrapeDuration":0.5,
			"health":"up","scrapeInterval":"15s","scrapeTimeout":"10s"}],
			"droppedTargets":[{"discoveredLabels":{"__address__":"dropped"},"scrapePool":"%[1]s"}],"droppedTargetCounts":%s}}`, pool, counts)
	})
	mux.HandleFunc("GET /api/v1/targets/metadata", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"status":"success","data":[{"target":{"job":%q},"metric":"up","type":"gauge","help":"","unit":""}]}`, pool)
	})
	mux.HandleFunc("GET /api/v1/scrape_pools", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"status":"success","data":{"scrapePools":[%q]}}`, pool)
	})
	return serve(t, mux)
}

func serve(t *testing.T, h http.Handler) Source {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return Source{URL: server.URL, Client: server.Client()}
}

func gone(t *testing.T) Source {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	return Source{URL: server.URL, Client: server.Client()}
}

func TestTargetsMergesReceivers(t *testing.T) {
	found, missing, err := NewReader(receiver(t, "a"), receiver(t, "b")).Targets(t.Context(), nil)
	require.NoError(t, err)
	assert.Empty(t, missing)
	require.Len(t, found.ActiveTargets, 2)
	assert.Equal(t, "a", found.ActiveTargets[0].Labels.Get("job"))
	assert.Equal(t, "b", found.ActiveTargets[1].Labels.Get("job"))
	assert.Equal(t, time.Date(2025, 6, 20, 15, 8, 23, 0, time.UTC), found.ActiveTargets[0].LastScrape)
	assert.Len(t, found.DroppedTargets, 2)
	assert.Equal(t, map[string]int{"a": 1, "b": 1}, found.DroppedTargetCounts)
}

func TestTargetsTellsWhoIsMissing(t *testing.T) {
	down := gone(t)
	found, missing, err := NewReader(down, receiver(t, "a")).Targets(t.Context(), nil)
	require.NoError(t, err)
	assert.Len(t, found.ActiveTargets, 1)
	require.Len(t, missing, 1)
	assert.ErrorContains(t, missing[0], down.URL)
}

func TestTargetsFailsWhereNoneAnswers(t *testing.T) {
	tests := map[string]struct {
		source Source
		want   string
	}{
		"gone":       {gone(t), "connection refused"},
		"other page": {serve(t, http.NotFoundHandler()), "HTTP status 404"},
		"no JSON": {serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "<html>")
		})), "cannot be read"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := NewReader(tt.source).Targets(t.Context(), nil)
			var unreachable *UnreachableError
			require.ErrorAs(t, err, &unreachable)
			assert.Equal(t, tt.source.URL, unreachable.URL)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestErrorHidesPassword(t *testing.T) {
	_, _, err := NewReader(Source{URL: "http://user:secret@127.0.0.1:1", Client: http.DefaultClient}).Targets(t.Context(), url.Values{})
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "secret")
}

func TestHandler(t *testing.T) {
	refusing := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"status":"error","errorType":"bad_data","error":"not like this"}`)
	}))
	tests := map[string]struct {
		reader *Reader
		path   string
		code   int
		body   string
	}{
		"no receivers": {
			NewReader(), "/api/v1/targets", 200,
			`{"status":"success","data":{"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":{}}}`,
		},
		"no receivers, active": {
			NewReader(), "/api/v1/targets?state=active", 200,
			`{"status":"success","data":{"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":null}}`,
		},
		"no receivers, metadata": {NewReader(), "/api/v1/targets/metadata", 200, `{"status":"success","data":[]}`},
		"no receivers, pools":    {NewReader(), "/api/v1/scrape_pools", 200, `{"status":"success","data":{"scrapePools":[]}}`},
		"active only": {
			NewReader(receiver(t, "a")), "/api/v1/targets?state=active", 200,
			`{"status":"success","data":{"activeTargets":[{"discoveredLabels":{"__address__":"a:80"},
			"labels":{"instance":"a:80","job":"a"},"scrapePool":"a","scrapeUrl":"http://a:80/metrics",
			"globalUrl":"http://a:80/metrics","lastError":"","lastScrape":"2025-06-20T15:08:23Z","lastScrapeDuration":0.5,
			"health":"up","scrapeInterval":"15s","scrapeTimeout":"10s"}],
			"droppedTargets":[{"discoveredLabels":{"__address__":"dropped"},"scrapePool":"a"}],"droppedTargetCounts":null}}`,
		},
		"metadata limit holds for all": {
			NewReader(receiver(t, "a"), receiver(t, "b")), "/api/v1/targets/metadata?limit=1", 200,
			`{"status":"success","data":[{"target":{"job":"a"},"metric":"up","type":"gauge","help":"","unit":""}]}`,
		},
		"metadata limit is no number": {
			NewReader(), "/api/v1/targets/metadata?limit=x", 400,
			`{"status":"error","errorType":"bad_data","error":"limit must be a number"}`,
		},
		"metadata selector": {
			NewReader(), "/api/v1/targets/metadata?match_target=%7B", 400,
			`{"status":"error","errorType":"bad_data","error":"invalid parameter \"match_target\": 1:2: parse error: unexpected end of input inside braces"}`,
		},
		"pools are sorted and distinct": {
			NewReader(receiver(t, "b"), receiver(t, "a"), receiver(t, "a")), "/api/v1/scrape_pools", 200,
			`{"status":"success","data":{"scrapePools":["a","b"]}}`,
		},
		"a receiver refuses": {
			NewReader(refusing), "/api/v1/targets", 400,
			`{"status":"error","errorType":"bad_data","error":"not like this"}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			tt.reader.Handler(slog.New(slog.DiscardHandler)).ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, tt.path, http.NoBody))
			assert.Equal(t, tt.code, rec.Code)
			assert.JSONEq(t, tt.body, rec.Body.String())
		})
	}
}

func TestHandlerTellsMissingReceivers(t *testing.T) {
	down := gone(t)
	for name, tt := range map[string]struct {
		reader *Reader
		code   int
	}{
		"some": {NewReader(down, receiver(t, "a")), http.StatusOK},
		"all":  {NewReader(down), http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			tt.reader.Handler(slog.New(slog.DiscardHandler)).ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/scrape_pools", http.NoBody))
			assert.Equal(t, tt.code, rec.Code)
			assert.Contains(t, rec.Body.String(), down.URL)
		})
	}
}
