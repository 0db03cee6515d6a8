package alertruleprocessor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/quantivista/monitoring/internal/alert"
)

const slowlyDown = `
groups:
- name: g
	rules:
	- {alert: Down, expr: up == 0, for: 20m}
`

func TestTheStateOfForSurvivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, slowlyDown)
		b.start()
		b.pass(8*time.Minute, 0, "up", "instance", "a")
		b.stop()
		b.reopen()
		b.start()
		defer b.close()
		// 12 minutes are left of "for", and the start cost some seconds.
		b.pass(11*time.Minute, 0, "up", "instance", "a")
		assert.Empty(t, b.next.got(), "the time before counts, but not double")
		b.pass(3*time.Minute, 0, "up", "instance", "a")
		require.NotEmpty(t, b.next.got(), "without the state it would take 6 more minutes")
	})
}

func TestAnAlertThatEndedWhileDownIsResolved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "groups: [{name: g, rules: [{alert: Down, expr: up == 0, for: 1m}]}]")
		b.cfg.ExternalLabels = map[string]string{"cluster": "eu"}
		b.start()
		b.store.set(t, 0, "up", "instance", "ended")
		b.pass(3*time.Minute, 0, "up", "instance", "goes on")
		fired := map[string]string{}
		for _, a := range b.next.take() {
			fired[a.Labels["instance"]] = a.Fingerprint()
		}
		require.Len(t, fired, 2)
		b.stop()
		b.store.set(t, 1, "up", "instance", "ended")
		b.reopen()

		b.start()
		defer b.close()
		b.pass(45*time.Second, 0, "up", "instance", "goes on")
		ended := b.next.take()
		if assert.Len(t, ended, 1, "what goes on is not resolved, although it must wait for its \"for\" again") {
			assert.Equal(t, fired["ended"], ended[0].Fingerprint())
			assert.False(t, ended[0].EndsAt.IsZero())
			assert.True(t, ended[0].EndsAt.After(ended[0].StartsAt))
		}
		b.pass(time.Minute, 0, "up", "instance", "goes on")
		again := b.next.take()
		if assert.NotEmpty(t, again) {
			assert.Equal(t, fired["goes on"], again[0].Fingerprint())
		}
	})
}

func TestAnAlertThatEndedBeforeIsNotResolvedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logs, errs := observer.New(zap.ErrorLevel)
		b := newBench(t, down)
		b.set.Logger = zap.New(logs)
		b.start()
		b.pass(2*time.Minute, 0, "up", "instance", "a")
		b.pass(time.Minute, 1, "up", "instance", "a")
		require.Contains(t, b.next.got(), "Down/a resolved")
		b.stop()
		b.reopen()
		b.start()
		defer b.close()
		b.pass(3*time.Minute, 1, "up", "instance", "a")
		assert.Empty(t, b.next.got())
		assert.Zero(t, errs.Len())
	})
}

func TestAlertsThatAPrometheusWroteAreLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, slowlyDown)
		b.store.set(t, 1, "ALERTS", "alertname", "Foreign", "alertstate", "firing")
		<-time.After(time.Minute)
		b.start()
		defer b.close()
		b.pass(2*time.Minute, 1, "up", "instance", "a")
		assert.Empty(t, b.next.got())
	})
}

// What a killed process has left of an alert is all that the next one knows of it.
func TestTheEndOfAnAlertIsHandedOnBeforeItsSeriesEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, down)
		ended := 0
		b.next.taking = func(alerts []alert.Alert) {
			if alerts[0].Status == alert.Resolved {
				ended++
				if ended == 1 { // the others repeat it
					assert.Len(t, b.store.query(t, `ALERTS{alertstate="firing"}`), 1)
				}
			}
		}
		b.start()
		defer b.close()
		b.pass(time.Minute, 0, "up", "instance", "a")
		b.pass(time.Minute, 1, "up", "instance", "a")
		assert.Positive(t, ended)
		assert.Empty(t, b.store.query(t, `ALERTS{alertstate="firing"}`))
	})
}

// Rules tell of alerts before they write the series of these, which they do once their state is restored.
func TestAnAlertOfTheFirstMomentsIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, down)
		b.start()
		for fired := false; !fired; fired = len(b.next.take()) > 0 {
			b.pass(time.Second, 0, "up", "instance", "a")
		}
		assert.Len(t, b.store.query(t, `ALERTS{alertstate="firing"}`), 1)
		b.stop()
		b.store.set(t, 1, "up", "instance", "a")
		b.reopen()
		b.start()
		defer b.close()
		b.pass(time.Minute, 1, "up", "instance", "a")
		assert.Contains(t, b.next.got(), "Down/a resolved")
		assert.Empty(t, b.store.query(t, `ALERTS{alertstate="firing"}`))
	})
}
