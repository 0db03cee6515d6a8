package alertruleprocessor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
)

func TestExpiryMovesWithEachReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, down)
		b.start()
		defer b.close()
		b.pass(10*time.Minute, 0, "up", "instance", "a")
		reports := b.next.take()
		require.GreaterOrEqual(t, len(reports), 8, "about one a minute, by resend_delay")
		for _, a := range reports {
			assert.Equal(t, a.UpdatedAt.Add(4*time.Minute+time.Hour), a.ExpiresAt, "as in Prometheus, and the tolerance")
		}
		b.pass(time.Minute, 1, "up", "instance", "a")
		ended := b.next.take()
		require.NotEmpty(t, ended)
		assert.Equal(t, alert.Resolved, ended[len(ended)-1].Status)
		assert.Zero(t, ended[len(ended)-1].ExpiresAt)
	})
}

// TestAnAlertOfAFailingRuleGoesOn keeps an alert alive while its rule cannot tell whether it goes on.
func TestAnAlertOfAFailingRuleGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "groups: [{name: g, interval: 15s, rules: [{alert: Down, expr: up == 0}]}]")
		b.start()
		defer b.close()
		b.pass(time.Minute, 0, "up", "instance", "a")
		require.Contains(t, b.next.got(), "Down/a firing")
		b.store.breakdown(errNotHere)
		<-time.After(5 * time.Hour)
		synctest.Wait()
		var last alert.Alert
		for _, a := range b.next.take() {
			if a.Name() == "Down" {
				require.Equal(t, alert.Firing, a.Status)
				assert.True(t, last.ExpiresAt.IsZero() || a.UpdatedAt.Equal(last.UpdatedAt), "it is the last report")
				last = a
			}
		}
		assert.True(t, last.ExpiresAt.After(time.Now()), "it expires at %s", last.ExpiresAt)

		b.store.breakdown(nil)
		b.pass(2*time.Minute, 1, "up", "instance", "a")
		assert.Contains(t, b.next.got(), "Down/a resolved")
	})
}

func TestRenewal(t *testing.T) {
	now := time.Now()
	l := newLedger()
	a := alert.Alert{Labels: map[string]string{"alertname": "x"}, Status: alert.Firing, UpdatedAt: now, ExpiresAt: now.Add(time.Hour)}
	l.note(labels.FromStrings("alertname", "x"), a)
	l.seed(labels.FromStrings("alertname", "seeded"), a)
	assert.Empty(t, l.renewed(now, time.Hour))
	assert.Empty(t, l.renewed(now.Add(time.Hour), 0), "without a tolerance")
	renewed := l.renewed(now.Add(40*time.Minute), time.Hour)
	require.Len(t, renewed, 1, "of a seeded one only the labels are known")
	assert.Equal(t, now.Add(100*time.Minute).UTC(), renewed[0].ExpiresAt)
	assert.Equal(t, a.UpdatedAt, renewed[0].UpdatedAt)
	assert.Empty(t, l.renewed(now.Add(41*time.Minute), time.Hour))
}
