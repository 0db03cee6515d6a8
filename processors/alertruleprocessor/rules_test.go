package alertruleprocessor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/prometheus/rules"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/metricstore"
)

const down = `
groups:
- name: g
	rules:
	- {alert: Down, expr: up == 0}
`

func TestKeepFiringFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "groups: [{name: g, rules: [{alert: Down, expr: up == 0, keep_firing_for: 2m}]}]")
		b.start()
		defer b.close()
		b.pass(30*time.Second, 0, "up", "instance", "a")
		assert.Equal(t, []string{"Down/a firing"}, b.next.got())
		b.pass(90*time.Second, 1, "up", "instance", "a")
		assert.NotContains(t, b.next.got(), "Down/a resolved")
		b.pass(time.Minute, 1, "up", "instance", "a")
		assert.Equal(t, []string{"Down/a resolved"}, b.next.got())
	})
}

func TestIntervalAndQueryOffsetOfAGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, `
groups:
- {name: fast, interval: 1s, rules: [{record: fast, expr: timestamp(tick)}]}
- {name: late, interval: 1s, query_offset: 30s, rules: [{record: late, expr: timestamp(tick)}]}
- {name: slow, interval: 10m, rules: [{alert: Slow, expr: vector(1)}]}
`)
		b.start()
		defer b.close()
		b.pass(time.Minute, 0, "tick")
		now := float64(time.Now().Unix())
		assert.InDelta(t, now-5, b.store.query(t, "fast")[`{__name__="fast"}`], 1, "the last tick")
		assert.InDelta(t, now-30, b.store.query(t, "late")[`{__name__="late"}`], 6, "30 seconds before")
		b.pass(29*time.Minute, 0, "tick")
		assert.Equal(t, []string{"Slow firing", "Slow firing", "Slow firing"}, b.next.got(), "one report each ten minutes")
	})
}

func TestALimitThatIsExceededIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "groups: [{name: g, limit: 1, rules: [{alert: Down, expr: up == 0}]}]")
		b.start()
		defer b.close()
		b.store.set(t, 0, "up", "instance", "b")
		b.pass(2*time.Minute, 0, "up", "instance", "a")
		assert.Equal(t, "MonitoringRuleEvaluationFailing firing", b.next.got()[0])
	})
}

// find gives a rule of the manager.
func (b *bench) find(name string) rules.Rule {
	b.t.Helper()
	for _, r := range b.proc.running.manager.Rules() {
		if r.Name() == name {
			return r
		}
	}
	require.Fail(b.t, "no rule "+name)
	return nil
}

func TestARuleThatFailsIsSeenAndAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, down)
		b.start()
		defer b.close()
		b.pass(20*time.Second, 0, "up", "instance", "a")
		assert.Equal(t, []string{"Down/a firing"}, b.next.got())

		b.store.breakdown(errors.New("the store is away"))
		b.pass(50*time.Second, 0, "up", "instance", "a")
		failing := b.next.take()
		if assert.Len(t, failing, 1, "and Down is not resolved") {
			a := failing[0]
			assert.Equal(t, map[string]string{
				"alertname": "MonitoringRuleEvaluationFailing", "rule_file": b.dir + "/rules.yaml", "rule_group": "g", "rule_name": "Down", "severity": "high",
			}, a.Labels)
			assert.Equal(t, alert.High, a.Severity)
			assert.Contains(t, a.Annotations["description"], "Rule Down of group g")
		}
		assert.Equal(t, rules.HealthBad, b.find("Down").Health())
		assert.ErrorContains(t, b.find("Down").LastError(), "the store is away")

		b.store.breakdown(nil)
		b.pass(time.Minute, 0, "up", "instance", "a")
		assert.Contains(t, b.next.got(), "MonitoringRuleEvaluationFailing resolved")
		assert.Equal(t, rules.HealthGood, b.find("Down").Health())
	})
}

func TestOneFailedEvaluationDoesNotAlert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, down)
		b.start()
		defer b.close()
		b.pass(20*time.Second, 1, "up", "instance", "a")
		b.store.breakdown(errors.New("the store is away"))
		<-time.After(15 * time.Second)
		synctest.Wait()
		require.Equal(t, rules.HealthBad, b.find("Down").Health())
		b.store.breakdown(nil)
		b.pass(time.Minute, 1, "up", "instance", "a")
		assert.Empty(t, b.next.got())
	})
}

func TestAStoreThatOnlyQueriesIsEnoughToAlert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "groups: [{name: g, rules: [{alert: Down, expr: up == 0}, {record: up:count, expr: count(up)}]}]")
		b.store.write = metricstore.ErrReadOnly
		b.start()
		defer b.close()
		b.pass(20*time.Second, 0, "up", "instance", "a")
		assert.Equal(t, []string{"Down/a firing"}, b.next.got())
		assert.Equal(t, rules.HealthGood, b.find("Down").Health())
		assert.Equal(t, rules.HealthBad, b.find("up:count").Health())
		require.ErrorIs(t, b.find("up:count").LastError(), metricstore.ErrReadOnly)
		b.pass(45*time.Second, 1, "up", "instance", "a")
		got := b.next.got()
		assert.Contains(t, got, "Down/a resolved")
		assert.Contains(t, got, "MonitoringRuleEvaluationFailing firing", "for the rule that records")
	})
}

func TestAStoreThatCannotBeWrittenIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, down)
		b.store.write = errors.New("no space left on device")
		b.start()
		defer b.close()
		b.pass(20*time.Second, 0, "up", "instance", "a")
		assert.Equal(t, []string{"Down/a firing"}, b.next.got())
		assert.ErrorContains(t, b.find("Down").LastError(), "no space left")
	})
}

func TestRuleFilesAreReloaded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, down)
		b.start()
		defer b.close()
		b.pass(30*time.Second, 0, "up", "instance", "a")
		assert.Equal(t, []string{"Down/a firing"}, b.next.got())

		b.write("more.yaml", "groups: [{name: m, interval: 1s, rules: [{alert: More, expr: up == 0}]}]")
		b.pass(7*time.Second, 0, "up", "instance", "a")
		assert.Equal(t, []string{"More/a firing"}, b.next.got(), "within reload_interval, and Down goes on")

		b.write("more.yaml", "")
		b.write("rules.yaml", strings.Replace(down, "up == 0", "up == 5", 1))
		b.pass(30*time.Second, 0, "up", "instance", "a")
		assert.ElementsMatch(t, []string{"More/a resolved", "Down/a resolved"}, b.next.got(), "a rule that is gone holds no alert")
	})
}

func TestABadFileKeepsTheOldRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logs, seen := observer.New(zap.InfoLevel)
		b := newBench(t, down)
		b.set.Logger = zap.New(logs)
		b.start()
		defer b.close()
		b.pass(30*time.Second, 1, "up", "instance", "a")
		b.write("rules.yaml", "groups:\n- name: g\n\trules:\n\t- alert: Down\n\t\texpr: up ==\n")
		b.pass(30*time.Second, 0, "up", "instance", "a")
		assert.Equal(t, []string{"Down/a firing"}, b.next.got())
		assert.Equal(t, componentstatus.StatusRecoverableError, b.host.status())
		assert.Len(t, b.host.events, 1, "told once")
		faults := seen.Filter(func(e observer.LoggedEntry) bool { return e.Level == zap.ErrorLevel }).All()
		if assert.Len(t, faults, 1, "told once") {
			fields := faults[0].ContextMap()
			assert.Equal(t, b.dir+"/rules.yaml", fields["file"])
			assert.EqualValues(t, 5, fields["line"])
			assert.Contains(t, fields["reason"], "unexpected end of input")
		}

		b.write("rules.yaml", strings.Replace(down, "Down", "Gone", 1))
		b.pass(30*time.Second, 0, "up", "instance", "a")
		assert.ElementsMatch(t, []string{"Down/a resolved", "Gone/a firing"}, b.next.got())
		assert.Equal(t, componentstatus.StatusOK, b.host.status())
		assert.Equal(t, 2, seen.FilterMessage("Rules loaded").Len(), "at the start and after the change, not at each look")
	})
}

func TestABadFileDoesNotKeepTheOthersFromStarting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, down)
		b.write("bad.yaml", "groups: {")
		b.start()
		defer b.close()
		b.pass(30*time.Second, 0, "up", "instance", "a")
		assert.Equal(t, []string{"Down/a firing"}, b.next.got())
		assert.Equal(t, componentstatus.StatusRecoverableError, b.host.status())
	})
}

func TestGroupsAndRulesAreEvaluatedConcurrently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, `
groups:
- {name: a, interval: 1s, rules: [{record: a1, expr: up}, {record: a2, expr: up}]}
- {name: b, interval: 1s, rules: [{record: b1, expr: up}]}
- {name: c, interval: 1s, rules: [{record: c1, expr: up}]}
`)
		b.store.block = make(chan struct{})
		b.start()
		defer b.close()
		<-time.After(2 * time.Second)
		synctest.Wait()
		assert.Len(t, b.store.asked, 4, "all rules wait for the store at once")
		close(b.store.block)
	})
}

func TestShutdownCancelsEvaluations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, down)
		b.store.block = make(chan struct{})
		b.start()
		<-b.store.asked
		before := time.Now()
		require.NoError(t, b.proc.Shutdown(context.Background()))
		assert.Equal(t, evaluationGrace, time.Since(before))
		require.NoError(t, b.proc.Shutdown(context.Background()), "twice")
		assert.Empty(t, b.next.got(), "a canceled evaluation is no failure")
		b.store.close(t)
	})
}
