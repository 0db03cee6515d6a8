package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// explained is the part of an explanation that the test looks at.
type explained struct {
	Summary      string
	MutedBy      []struct{ Kind, ID string }
	IncidentID   string
	IncidentPath []string
	Routes       []struct {
		Path, Receiver, GroupKey string
		NextTurn                 time.Time
	}
	Notifications []struct {
		Receiver, Integration, Told, State, Reason string
		Attempts                                   int
	}
}

func (c *collector) explain(id string) (e explained) {
	c.t.Helper()
	getJSON(c.t, at(c.api, "/api/v1/alerts/"+id+"/explain"), &e)
	return e
}

func (c *collector) awaitExplained(id, part string) (e explained) {
	c.t.Helper()
	await(c.t, part, func() error {
		if e = c.explain(id); !strings.Contains(e.Summary, part) {
			return fmt.Errorf("summary is %q", e.Summary)
		}
		return nil
	})
	return e
}

// TestEveryDecisionIsExplained asks why somebody was told, or nobody.
func TestEveryDecisionIsExplained(t *testing.T) {
	t.Parallel()
	p := newPager(t)
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "try later, hunter2-token", http.StatusServiceUnavailable)
	}))
	t.Cleanup(broken.Close)
	c := startCollector(t, allInOne, withOverlay(sweepsOften), withRoutes(t, `
route:
  receiver: pager
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  routes:
  - {matchers: [kind=broken], receiver: broken}
  - {matchers: [kind=slow], receiver: pager, group_wait: 1h}
receivers:
- {name: broken, webhook_configs: [{url: "`+broken.URL+`/hunter2", http_config: {authorization: {credentials: hunter2-token}}}]}
- {name: pager, webhook_configs: [{url: "`+p.url+`"}]}
- {name: unused, webhook_configs: [{url: "`+p.url+`"}]}
`))
	fire := func(name, kind string) string {
		return c.raise(fmt.Sprintf(`{"name": %q, "severity": "high", "labels": {"kind": %q}}`, name, kind)).ID
	}
	e := c.awaitExplained(fire("Down", "any"), "pager (webhook) was told at ")
	require.Len(t, e.Notifications, 1)
	assert.Equal(t, []any{"pager", "webhook", "firing", "sent", 1},
		[]any{e.Notifications[0].Receiver, e.Notifications[0].Integration, e.Notifications[0].Told, e.Notifications[0].State, e.Notifications[0].Attempts})
	assert.Equal(t, "{}", e.Routes[0].Path)
	assert.NotEmpty(t, e.IncidentID)

	e = c.awaitExplained(fire("Unlucky", "broken"), "broken (webhook) could not be told in ")
	assert.Equal(t, `{}/{kind="broken"}:{alertname="Unlucky"}`, e.Routes[0].GroupKey)
	assert.Contains(t, e.Notifications[0].Reason, "unexpected status code 503")
	e = c.awaitExplained(fire("Patient", "slow"), "Nobody was told yet: its group waits for pager until ")
	assert.Greater(t, time.Until(e.Routes[0].NextTurn), 30*time.Minute)

	status, body, err := tryRequest(http.MethodPost, at(c.api, "/api/v1/silences"), "application/json", fmt.Appendf(nil,
		`{"matchers": ["alertname=\"Quiet\""], "endsAt": %q, "comment": "Known"}`, time.Now().Add(time.Hour).Format(time.RFC3339)))
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, status, "%s", body)
	var silence struct{ ID, State, CreatedBy string }
	require.NoError(t, json.Unmarshal(body, &silence))
	assert.Equal(t, "active", silence.State)
	quiet := fire("Quiet", "any")
	e = c.awaitExplained(quiet, "Nobody is told now: silence "+silence.ID+" matches it.")
	assert.Empty(t, e.IncidentID)
	assert.Empty(t, e.Notifications)
	status, body, err = tryRequest(http.MethodDelete, at(c.api, "/api/v1/silences/"+silence.ID), "", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, status, "%s", body)
	c.awaitExplained(quiet, "pager (webhook) was told at ")
	getJSON(t, at(c.api, "/api/v1/silences/"+silence.ID), &silence)
	assert.Equal(t, "expired", silence.State)

	status, body, err = tryRequest(http.MethodPost, at(c.api, "/api/v1/silences"), "application/json",
		[]byte(`{"matchers": ["alertname=~\"(\""], "endsAt": "2126-01-01T00:00:00Z", "comment": "Known"}`))
	require.NoError(t, err)
	assert.Equal(t, http.StatusBadRequest, status, "%s", body)
	assert.Contains(t, string(body), `"field":"matchers[0]"`)
	for receiver, want := range map[string]string{"unused": `"sent":true`, "broken": "unexpected status code 503"} {
		status, body, err = tryRequest(http.MethodPost, at(c.api, "/api/v1/receivers/"+receiver+"/test"), "", nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status, "%s", body)
		assert.Contains(t, string(body), want)
		assert.NotContains(t, string(body), "hunter2")
	}
	status, _, err = tryRequest(http.MethodPost, at(c.api, "/api/v1/receivers/nobody/test"), "", nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusNotFound, status)
	_, text := get(t, at(c.api, "/api/v1/receivers"))
	assert.NotContains(t, text, "http", "addresses may be secrets")
	c.terminate()
	assert.NotContains(t, c.log().String(), "hunter2")
}
