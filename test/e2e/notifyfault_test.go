package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReceiverDownForLong has alerts begin and end while nobody listens, for half an hour where the test may take long,
// and the process crash meanwhile. When somebody listens again, one message tells of what fires.
func TestReceiverDownForLong(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	down.Store(true)
	var refused atomic.Int32
	told := make(chan notification, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n notification
		switch {
		case down.Load():
			refused.Add(1)
			w.WriteHeader(http.StatusServiceUnavailable)
		case json.NewDecoder(r.Body).Decode(&n) == nil:
			told <- n
		}
	}))
	t.Cleanup(server.Close)
	c := startCollector(t, allInOne, withRoutes(t, fmt.Sprintf(`
route: {receiver: pager, group_by: [team], group_wait: 0s, group_interval: 1s, repeat_interval: 24h}
receivers: [{name: pager, webhook_configs: [{url: %q}]}]
`, server.URL)))
	tried := func() {
		t.Helper()
		before := refused.Load()
		await(t, "more attempts", func() error { return atLeast(int(refused.Load()), int(before)+5) })
	}
	const over, began, later, other = `"alertname": "Over", "team": "x"`, `"alertname": "Began", "team": "x"`, `"alertname": "Later", "team": "x"`, `"alertname": "Other", "team": "y"`
	c.fire(over, began)
	tried()
	c.end(over)
	c.fire(later, other)
	tried()
	for back := time.Now().Add(outage()); time.Now().Before(back); {
		tried()
	}
	c.kill()
	c.start()
	tried()
	down.Store(false)
	firing := map[string]int{}
	for range 2 { // one of each team
		n := receive(t, told)
		for _, a := range n.Alerts {
			if a.Status == "firing" {
				firing[a.Labels["alertname"]]++
			}
		}
	}
	assert.Equal(t, map[string]int{"Began": 1, "Later": 1, "Other": 1}, firing)
	// A message to come tells that none came twice: groups are notified in turn.
	c.end(other)
	last := receive(t, told)
	assert.Equal(t, "pager: resolved Other", last.names())
	c.terminate()
	assert.Empty(t, told)
}

// outage is how long a receiver is away beside the attempts that a test waits for.
func outage() time.Duration {
	if os.Getenv("E2E_SOAK") == "" {
		return 0
	}
	return 30 * time.Minute
}

// receive waits for a message.
func receive(t *testing.T, told <-chan notification) notification {
	t.Helper()
	select {
	case n := <-told:
		return n
	case <-time.After(patience):
		t.Fatalf("no message came within %s", patience)
		return notification{}
	}
}

// TestTemplatesThatFail has templates that fail, that never end, and that print 10 MB. Nobody else waits for them; what
// they kept back is told once they are mended.
func TestTemplatesThatFail(t *testing.T) {
	t.Parallel()
	const huge, maxMemory = 10 << 20, 700 // bytes; MiB
	var mu sync.Mutex
	told := map[string][]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		told[r.URL.Path] = append(told[r.URL.Path], len(body))
		_, _ = io.WriteString(w, "ok")
	}))
	t.Cleanup(server.Close)
	routes := func(missing, endless string) string {
		return fmt.Sprintf(`
route:
  receiver: fine
  group_by: [to]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 24h
  routes:
  - {matchers: [to=missing], receiver: missing}
  - {matchers: [to=endless], receiver: endless}
  - {matchers: [to=huge], receiver: huge}
templates: [endless.tmpl]
receivers:
- {name: fine, slack_configs: [{api_url: "%[1]s/fine", channel: c}]}
- {name: missing, slack_configs: [{api_url: "%[1]s/missing", channel: c, text: '%[2]s'}]}
- {name: endless, slack_configs: [{api_url: "%[1]s/endless", channel: c, text: '%[3]s'}]}
- {name: huge, slack_configs: [{api_url: "%[1]s/huge", channel: c, text: '{{ range %[4]d }}x{{ end }}'}]}
`, server.URL, missing, endless, huge)
	}
	path := filepath.Join(t.TempDir(), "alertmanager.yml")
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(path), "endless.tmpl"), []byte(`{{ define "endless" }}{{ template "endless" . }}{{ end }}`), 0o600))
	require.NoError(t, os.WriteFile(path, []byte(routes(`{{ template "nowhere" . }}`, `{{ template "endless" . }}`)), 0o600))
	c := startCollector(t, allInOne, withEnv("ALERTMANAGER_CONFIG="+path))
	for _, to := range []string{"missing", "endless", "huge", "fine"} {
		c.fire(fmt.Sprintf(`"alertname": "DiskFull", "to": %q`, to))
	}
	arrived := func(paths ...string) {
		t.Helper()
		await(t, strings.Join(paths, ", "), func() error {
			mu.Lock()
			defer mu.Unlock()
			for _, path := range paths {
				if len(told[path]) != 1 {
					return fmt.Errorf("%d messages came to %s", len(told[path]), path)
				}
			}
			if len(told) != len(paths) {
				return fmt.Errorf("messages came to %d receivers", len(told))
			}
			return nil
		})
	}
	arrived("/fine", "/huge")
	mu.Lock()
	assert.Greater(t, told["/huge"][0], huge)
	mu.Unlock()
	await(t, "the reasons in the log", func() error {
		log := c.log().String()
		for _, reason := range []string{`template \"nowhere\" not defined`, "exceeded maximum template depth"} {
			if !strings.Contains(log, reason) {
				return fmt.Errorf("there is no %s", reason)
			}
		}
		return nil
	})
	_, peak := c.rss()
	t.Logf("memory %d MiB at its peak", peak)
	assert.Less(t, peak, maxMemory, "MiB")

	require.NoError(t, os.WriteFile(path, []byte(routes("mended", "mended")), 0o600))
	status, answer, err := tryRequest(http.MethodPost, at(c.api, "/alertmanager/-/reload"), "", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, "%s", answer)
	arrived("/fine", "/huge", "/missing", "/endless")
	c.terminate()
	arrived("/fine", "/huge", "/missing", "/endless")
}

// TestTenThousandNotified fires 10,000 alerts at once through a route that groups them: few messages, and none lost.
func TestTenThousandNotified(t *testing.T) {
	t.Parallel()
	const alerts, batch, groups, maxMessages, maxMemory = 10_000, 500, 10, 200, 1000 // MiB
	p := newPager(t)
	c := startCollector(t, allInOne, withRoutes(t, `
route: {receiver: pager, group_by: [cluster], group_wait: 2s, group_interval: 2s, repeat_interval: 24h}
`+p.receivers("pager")))
	for from := 0; from < alerts; from += batch {
		labels := make([]string, batch)
		for i := range labels {
			labels[i] = fmt.Sprintf(`"alertname": "HostDown", "severity": "page", "cluster": "c%d", "instance": "host-%d"`, (from+i)%groups, from+i)
		}
		c.fire(labels...)
	}
	seen, messages := map[string]bool{}, 0
	for len(seen) < alerts {
		select {
		case n := <-p.calls:
			messages++
			for _, a := range n.Alerts {
				seen[a.Labels["instance"]] = true
			}
		case <-time.After(patience):
			t.Fatalf("%d alerts came, and no more", len(seen))
		}
	}
	_, peak := c.rss()
	t.Logf("%d messages; memory %d MiB at its peak", messages, peak)
	assert.LessOrEqual(t, messages, maxMessages)
	assert.Less(t, peak, maxMemory, "MiB")
	c.terminate()
}
