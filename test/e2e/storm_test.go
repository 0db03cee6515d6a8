package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTenThousandAlertsAtOnce has everything break at once and mend at once, as behind a failed switch.
func TestTenThousandAlertsAtOnce(t *testing.T) {
	t.Parallel()
	const (
		services, perService = 20, 500
		maxMemory            = 700 // MiB
	)
	eachDatabase(t, func(t *testing.T, d *database) {
		c := newCollector(t, allInOne, d.option())
		c.writeRules("storm.yaml", "groups: [{name: storm, interval: 1s, rules: [{alert: Storm, expr: storm > 0, labels: {severity: page}}]}]")
		c.start()
		for _, phase := range []struct {
			value          float64
			status, became string
		}{{1, "firing", "open"}, {0, "resolved", "mitigated"}} {
			begin := time.Now()
			for s := range services {
				c.send(gauges(fmt.Sprintf("service-%d", s), "storm", 0, perService, time.Now(), phase.value))
			}
			want := [][]string{{strconv.Itoa(services * perService), strconv.Itoa(services)}}
			await(t, "all alerts "+phase.status, func() error {
				got, err := d.rows(c, fmt.Sprintf(`SELECT (SELECT COUNT(*) FROM alerts WHERE status = '%s'), (SELECT COUNT(*) FROM incidents WHERE status = '%s')`, phase.status, phase.became))
				if err == nil && !assert.ObjectsAreEqual(want, got) {
					err = fmt.Errorf("alerts that are %s and incidents that are %s: %v of %v", phase.status, phase.became, got, want)
				}
				return err
			})
			now, peak := c.rss()
			t.Logf("all are %s after %s; memory %d MiB, at its peak %d MiB", phase.status, time.Since(begin).Round(100*time.Millisecond), now, peak)
			assert.Less(t, peak, maxMemory, "MiB")
		}
		d.requireSound(c)
		assert.Equal(t, services*perService, c.countAlerts())
		c.terminate()
	})
}

// countAlerts goes through all pages of the list.
func (c *collector) countAlerts() int {
	c.t.Helper()
	ids := map[string]bool{}
	for target := at(c.api, "/api/v1/alerts?status=all&limit=1000"); target != ""; {
		resp, answer, err := tryRequestFull(client, http.MethodGet, target, "", nil, nil)
		require.NoError(c.t, err)
		require.Equal(c.t, http.StatusOK, resp.StatusCode, "%s", answer)
		var page []struct{ ID string }
		require.NoError(c.t, json.Unmarshal(answer, &page))
		for _, a := range page {
			ids[a.ID] = true
		}
		target = nextPage(c.t, resp)
	}
	return len(ids)
}

// nextPage gives the address of the page behind a page, empty behind the last.
func nextPage(t *testing.T, resp *http.Response) string {
	t.Helper()
	link := resp.Header.Get("Link")
	if link == "" {
		return ""
	}
	reference, _, ok := strings.Cut(strings.TrimPrefix(link, "<"), ">")
	require.True(t, ok, link)
	next, err := resp.Request.URL.Parse(reference)
	require.NoError(t, err)
	return next.String()
}
