package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// notification is what a webhook of Alertmanager gets.
type notification struct {
	Status, Receiver, GroupKey string
	Alerts                     []struct {
		Status string
		Labels map[string]string
	}
}

// names gives receiver, and status and name of each alert.
func (n notification) names() string {
	all := make([]string, len(n.Alerts))
	for i, a := range n.Alerts {
		all[i] = a.Status + " " + a.Labels["alertname"]
	}
	slices.Sort(all)
	return n.Receiver + ": " + strings.Join(all, ", ")
}

// pager is a receiver on loopback that takes each message once, as those do that know idempotency keys.
type pager struct {
	t     *testing.T
	url   string
	calls chan notification
	// hung gets the key of each request that is not answered, as hang has it.
	hung chan string
	hang atomic.Bool
	mu   sync.Mutex
	seen map[string]int // requests by key
}

func newPager(t *testing.T) *pager {
	p := &pager{t: t, calls: make(chan notification, 10_000), hung: make(chan string, 100), seen: map[string]int{}}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

// ServeHTTP takes a message.
func (p *pager) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var n notification
	if json.NewDecoder(r.Body).Decode(&n) != nil {
		return
	}
	key := r.Header.Get("Idempotency-Key")
	if !assert.NotEmpty(p.t, key) {
		return
	}
	if p.hang.Load() {
		p.hung <- key
		<-r.Context().Done()
		return
	}
	p.mu.Lock()
	p.seen[key]++
	first := p.seen[key] == 1
	p.mu.Unlock()
	if first {
		p.calls <- n
	}
}

// next waits for so many messages and gives them sorted: groups are notified side by side.
func (p *pager) next(count int) []string {
	p.t.Helper()
	got := []string{}
	deadline := time.After(patience)
	for len(got) < count {
		select {
		case n := <-p.calls:
			got = append(got, n.names())
		case <-deadline:
			p.t.Fatalf("only these messages came within %s: %q", patience, got)
		}
	}
	slices.Sort(got)
	return got
}

// receivers writes the receivers of an alertmanager.yml, all of which call the pager.
func (p *pager) receivers(names ...string) string {
	var b strings.Builder
	b.WriteString("receivers:\n")
	for _, name := range names {
		fmt.Fprintf(&b, "- {name: %s, webhook_configs: [{url: %q}]}\n", name, p.url)
	}
	return b.String()
}

// withRoutes has an alertmanager.yml of the test's own.
func withRoutes(t *testing.T, text string) option {
	t.Helper()
	path := filepath.Join(t.TempDir(), "alertmanager.yml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return withEnv("ALERTMANAGER_CONFIG=" + path)
}

// alertsBegan is one for all: a reporter tells the same beginning of an alert again and again.
var alertsBegan = time.Now().Add(-time.Minute)

// fire and end alerts, by labels in JSON, as a reporter of Alertmanager does.
func (c *collector) fire(labels ...string) { c.report(time.Now().Add(time.Hour), labels) }

func (c *collector) end(labels ...string) { c.report(time.Now(), labels) }

func (c *collector) report(end time.Time, labels []string) {
	c.t.Helper()
	alerts := make([]string, len(labels))
	for i, l := range labels {
		alerts[i] = fmt.Sprintf(`{"labels": {%s}, "startsAt": %q, "endsAt": %q}`, l, alertsBegan.Format(time.RFC3339Nano), end.Format(time.RFC3339Nano))
	}
	status, answer := c.sendAlerts("[" + strings.Join(alerts, ", ") + "]")
	require.Equal(c.t, http.StatusOK, status, answer)
}

// silence makes one for an alert's name, and gives its ID.
func (c *collector) silence(name string) string {
	c.t.Helper()
	status, answer, err := tryRequest(http.MethodPost, at(c.api, "/alertmanager/api/v2/silences"), "application/json", fmt.Appendf(nil,
		`{"matchers": [{"name": "alertname", "value": %q, "isRegex": false}], "createdBy": "ada", "comment": "why", "startsAt": %q, "endsAt": %q}`,
		name, time.Now().Format(time.RFC3339Nano), time.Now().Add(time.Hour).Format(time.RFC3339Nano)))
	require.NoError(c.t, err)
	require.Equal(c.t, http.StatusOK, status, "%s", answer)
	var made struct{ SilenceID string }
	require.NoError(c.t, json.Unmarshal(answer, &made))
	return made.SilenceID
}

// TestNotifications has what Alertmanager does come through our pipeline.
func TestNotifications(t *testing.T) {
	t.Parallel()
	p := newPager(t)
	c := startCollector(t, allInOne, withRoutes(t, `
route:
  receiver: default
  group_by: [team]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 24h
  routes:
  - {matchers: [kind=copied], receiver: copy, continue: true}
  - {matchers: [kind=copied], receiver: default}
  - {matchers: [kind=nightly], receiver: default, mute_time_intervals: [always]}
  - {matchers: [kind=repeated], receiver: repeated, group_wait: 0s, repeat_interval: 1s}
  - {matchers: [kind=now], receiver: default, group_wait: 0s}
inhibit_rules: [{source_matchers: [alertname=DataCenterDown], target_matchers: [severity=low], equal: [dc]}]
time_intervals: [{name: always, time_intervals: [{weekdays: ["sunday:saturday"]}]}]
`+p.receivers("default", "copy", "repeated")))
	const a, b, later = `"alertname": "A", "team": "x"`, `"alertname": "B", "team": "x"`, `"alertname": "C", "team": "x"`
	c.fire(a, b)
	assert.Equal(t, []string{"default: firing A, firing B"}, p.next(1), "one message for a group")
	c.fire(later)
	assert.Equal(t, []string{"default: firing A, firing B, firing C"}, p.next(1))
	c.end(a)
	assert.Equal(t, []string{"default: firing B, firing C, resolved A"}, p.next(1))

	c.fire(`"alertname": "Copied", "kind": "copied"`)
	assert.Equal(t, []string{"copy: firing Copied", "default: firing Copied"}, p.next(2))

	id := c.silence("Silenced")
	c.fire(`"alertname": "DataCenterDown", "dc": "1", "kind": "now"`)
	assert.Equal(t, []string{"default: firing DataCenterDown"}, p.next(1))
	c.fire(`"alertname": "Slow", "severity": "low", "dc": "1", "team": "inhibited"`, `"alertname": "Silenced", "team": "silenced"`,
		`"alertname": "Backup", "kind": "nightly"`)
	c.fire(`"alertname": "Slow", "severity": "low", "dc": "2", "team": "other"`)
	assert.Equal(t, []string{"default: firing Slow"}, p.next(1), "of another data center")
	c.expireSilence(id)
	assert.Equal(t, []string{"default: firing Silenced"}, p.next(1))

	c.fire(`"alertname": "Again", "kind": "repeated"`)
	assert.Equal(t, []string{"repeated: firing Again", "repeated: firing Again"}, p.next(2))
	c.terminate()
}

func (c *collector) expireSilence(id string) {
	c.t.Helper()
	status, answer, err := tryRequest(http.MethodDelete, at(c.api, "/alertmanager/api/v2/silence/"+id), "", nil)
	require.NoError(c.t, err)
	require.Equal(c.t, http.StatusOK, status, "%s", answer)
}
