package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAClockThatJumpsTellsNobodyTwice sets the clock of the running process forth and back by half an hour, as an
// administrator or NTP does. What fires all the while is told once, what begins and ends after a jump is told soon, and once.
func TestAClockThatJumpsTellsNobodyTwice(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, d *database) {
		p := newPager(t)
		c := newCollector(t, allInOne, d.option(), withClockOff(time.Second), withRoutes(t,
			"route: {receiver: pager, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 24h}\n"+p.receivers("pager")))
		rules := func(firing ...string) {
			t.Helper()
			text := "groups:\n- name: clock\n  interval: 1s\n  rules:\n"
			for _, name := range firing {
				text += fmt.Sprintf("  - {alert: %s, expr: vector(1), labels: {severity: page}}\n", name)
			}
			require.NoError(t, os.WriteFile(filepath.Join(c.data, "rules", "clock.yaml"), []byte(text), 0o600))
		}
		require.NoError(t, os.Mkdir(filepath.Join(c.data, "rules"), 0o700))
		rules("Always")
		c.start()
		assert.Equal(t, []string{"pager: firing Always"}, p.next(1))
		firing := []string{"Always"}
		for i, jump := range []time.Duration{30 * time.Minute, -30 * time.Minute, 0} {
			require.NoError(t, moveClock(c.process.cmd.Process.Pid, time.Second+jump))
			assert.InDelta(t, time.Now().Add(jump).Unix(), c.number("time()"), 60, "the clock jumped")
			name := fmt.Sprintf("After%d", i)
			rules("Always", name)
			assert.Equal(t, []string{"pager: firing " + name}, p.next(1), "after a jump to %s", jump)
			rules(firing...)
			assert.Equal(t, []string{"pager: resolved " + name}, p.next(1), "after a jump to %s", jump)
		}
		c.terminate()
		assert.Empty(t, p.calls)
	})
}
