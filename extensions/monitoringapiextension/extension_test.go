package monitoringapiextension

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/quantivista/monitoring/extensions/monitoringapiextension/internal/metadata"
	"github.com/quantivista/monitoring/internal/problem"
)

// host has extensions and nothing else.
type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

var storeID = component.MustNewID("metric_store")

func nopSettings() extension.Settings { return extensiontest.NewNopSettings(metadata.Type) }

func testConfig() *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.NetAddr.Endpoint = "127.0.0.1:0"
	return cfg
}

// start runs the extension on a free port and gives its base URL.
func start(t testing.TB, store component.Component, configure ...func(*Config)) (*monitoringAPI, string) {
	t.Helper()
	cfg := testConfig()
	for _, c := range configure {
		c(cfg)
	}
	require.NoError(t, cfg.Validate())
	m := newExtension(cfg, nopSettings())
	require.NoError(t, m.Start(context.Background(), host{storeID: store}))
	require.NoError(t, m.Ready())
	t.Cleanup(func() { require.NoError(t, m.Shutdown(context.Background())) })
	return m, "http://" + m.addr.String()
}

// answer is one HTTP answer, read.
type answer struct {
	status int
	header http.Header
	body   string
	err    error
}

func (a answer) problem(t testing.TB) problem.Error {
	t.Helper()
	assert.Equal(t, problem.ContentType, a.header.Get("Content-Type"), a.body)
	var d problem.Error
	require.NoError(t, json.Unmarshal([]byte(a.body), &d), a.body)
	assert.Equal(t, a.status, d.Status)
	return d
}

func do(t testing.TB, method, url, body string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return send(t, req)
}

func send(t testing.TB, req *http.Request) answer {
	t.Helper()
	got := roundTrip(req)
	require.NoError(t, got.err)
	return got
}

// roundTrip uses one connection a request, so that none is left over for the leak check, and follows no redirect.
func roundTrip(req *http.Request) answer {
	req.Close = true
	resp, err := (&http.Transport{}).RoundTrip(req)
	if err != nil {
		return answer{err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(body), err}
}

// inBackground asks without waiting for the answer.
func inBackground(t testing.TB, url string) <-chan answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	answers := make(chan answer, 1)
	go func() { answers <- roundTrip(req) }()
	return answers
}

func get(t testing.TB, url string) answer {
	t.Helper()
	return do(t, http.MethodGet, url, "")
}

func TestStartWithoutStore(t *testing.T) {
	m := newExtension(testConfig(), nopSettings())
	err := m.Start(t.Context(), host{})
	require.ErrorContains(t, err, `"metric_store"`)
	require.ErrorContains(t, err, "declare it")
	require.NoError(t, m.Shutdown(t.Context()))
}

func TestStartOnPortInUse(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	cfg := testConfig()
	cfg.NetAddr.Endpoint = taken.Addr().String()
	m := newExtension(cfg, nopSettings())
	err = m.Start(t.Context(), host{storeID: newTestStore(t, "")})
	require.ErrorContains(t, err, `"endpoint" `+taken.Addr().String())
	require.NoError(t, m.Shutdown(t.Context()))
}

func TestShutdownIsIdempotent(t *testing.T) {
	m, url := start(t, newTestStore(t, ""))
	require.Equal(t, http.StatusOK, get(t, url+"/api/v1/health").status)
	require.NoError(t, m.Shutdown(t.Context()))
	require.NoError(t, m.Shutdown(t.Context()))
}

// slowStore starts queries that end only with their context, or when release is closed.
func slowStore(t *testing.T) (store *testStore, started, release chan struct{}) {
	t.Helper()
	started, release = make(chan struct{}), make(chan struct{})
	store = newTestStore(t, "")
	store.block = func(ctx context.Context) {
		close(started)
		select {
		case <-ctx.Done():
		case <-release:
		}
	}
	return store, started, release
}

func TestShutdownLetsRequestsEnd(t *testing.T) {
	store, started, release := slowStore(t)
	m, url := start(t, store)
	answers := inBackground(t, url+"/api/v1/metrics?query=1")
	<-started
	stopped := make(chan error, 1)
	go func() { stopped <- m.Shutdown(context.Background()) }()
	require.Eventually(t, func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", m.addr.String())
		if err == nil {
			conn.Close()
		}
		return err != nil
	}, time.Minute, time.Millisecond, "the listener closes first")
	close(release)
	assert.Equal(t, http.StatusOK, (<-answers).status)
	require.NoError(t, <-stopped)
}

func TestShutdownCancelsLongRequests(t *testing.T) {
	store, started, _ := slowStore(t)
	m, url := start(t, store)
	answers := inBackground(t, url+"/api/v1/metrics?query=1")
	<-started
	m.grace = 0
	require.NoError(t, m.Shutdown(t.Context()))
	got := <-answers
	assert.Equal(t, http.StatusServiceUnavailable, got.status)
	assert.NotEmpty(t, got.header.Get("Retry-After"))
	assert.Equal(t, "the server shuts down", got.problem(t).Detail)
}

func TestShutdownHonoursItsContext(t *testing.T) {
	store, started, release := slowStore(t)
	store.block = func(context.Context) {
		close(started)
		<-release
	}
	m, url := start(t, store)
	answers := inBackground(t, url+"/api/v1/metrics?query=1")
	<-started
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, m.Shutdown(ctx))
	require.Error(t, (<-answers).err, "the connection is cut")
	close(release)
}

func TestReadyFollowsThePipelines(t *testing.T) {
	m, url := start(t, newTestStore(t, ""))
	assert.Equal(t, "Prometheus Server is Ready.\n", get(t, url+"/prometheus/-/ready").body)
	require.NoError(t, m.NotReady())
	assert.Equal(t, http.StatusServiceUnavailable, get(t, url+"/prometheus/-/ready").status)
	assert.Equal(t, http.StatusOK, get(t, url+"/prometheus/-/healthy").status)
}
