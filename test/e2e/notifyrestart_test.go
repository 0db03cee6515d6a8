package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestAKillChangesNothingThatAnybodyIsTold kills the collector with alerts of every history, right behind the answers
// to a silence and to an end. After the start nobody is told again, nothing that is silenced or inhibited leaks, and
// each end is told once.
func TestAKillChangesNothingThatAnybodyIsTold(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, d *database) {
		p := newPager(t)
		c := startCollector(t, allInOne, d.option(), withRoutes(t, `
route: {receiver: pager, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 24h}
inhibit_rules: [{source_matchers: [alertname=DataCenterDown], target_matchers: [severity=low]}]
`+p.receivers("pager")))
		const source, inhibited, silenced = `"alertname": "DataCenterDown"`, `"alertname": "Slow", "severity": "low"`, `"alertname": "Silenced"`
		c.fire(source)
		assert.Equal(t, []string{"pager: firing DataCenterDown"}, p.next(1))
		c.silence("Silenced")
		c.fire(inhibited, silenced, `"alertname": "GoesOn"`)
		assert.Equal(t, []string{"pager: firing GoesOn"}, p.next(1))
		for round := range rounds(t, 4, 50) {
			ends, begins := fmt.Sprintf("Ends%d", round), fmt.Sprintf("New%d", round)
			c.fire(fmt.Sprintf(`"alertname": %q`, ends))
			assert.Equal(t, []string{"pager: firing " + ends}, p.next(1))
			c.silence(fmt.Sprintf("Muted%d", round))
			c.end(fmt.Sprintf(`"alertname": %q`, ends))
			c.kill()
			c.start()
			c.fire(fmt.Sprintf(`"alertname": "Muted%d"`, round), fmt.Sprintf(`"alertname": %q`, begins))
			got := p.next(2)
			assert.Equal(t, []string{"pager: firing " + begins, "pager: resolved " + ends}, got)
		}
		// Another turn of every group: what would leak had its time.
		c.fire(`"alertname": "Last"`)
		assert.Equal(t, []string{"pager: firing Last"}, p.next(1))
		assert.Empty(t, p.calls)
		c.terminate()
	})
}

// TestAnAlertThatExpiresWhileNobodyRunsIsToldToHaveEnded has its end known by nothing but the database.
func TestAnAlertThatExpiresWhileNobodyRunsIsToldToHaveEnded(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, d *database) {
		p := newPager(t)
		c := startCollector(t, allInOne, d.option(), withOverlay(`exporters: {incident: {sweep_interval: 200ms, expiry_grace: 0s, max_clock_skew: 0s}}`),
			withRoutes(t, "route: {receiver: pager, group_wait: 0s, group_interval: 1s, repeat_interval: 24h}\n"+p.receivers("pager")))
		c.raise(`{"name": "Forgotten", "severity": "high", "expiresAt": "` + time.Now().Add(4*time.Second).Format(time.RFC3339Nano) + `"}`)
		assert.Equal(t, []string{"pager: firing Forgotten"}, p.next(1))
		c.kill()
		c.start()
		assert.Equal(t, []string{"pager: resolved Forgotten"}, p.next(1))
		assert.Empty(t, p.calls)
		c.terminate()
	})
}
