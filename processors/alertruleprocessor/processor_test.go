package alertruleprocessor

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/rule"
)

const hot = `
groups:
- name: g
	rules:
	- record: job:temperature:max
		expr: max by (job) (temperature)
	- alert: Hot
		expr: job:temperature:max > 30
		for: 1m
		labels: {severity: Page, team: "{{ $externalLabels.team }}"}
		annotations:
			summary: "{{ $labels.job }} has {{ $value | humanize }} degrees"
`

func TestAnAlertFiresAndIsResolved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, hot)
		b.cfg.ExternalLabels = map[string]string{"team": "sre", "cluster": "eu"}
		b.start()
		defer b.close()
		began := time.Now()
		b.pass(45*time.Second, 40, "temperature", "job", "oven")
		assert.Empty(t, b.next.got(), "pending")

		b.pass(time.Minute, 40, "temperature", "job", "oven")
		fired := b.next.take()
		if assert.Len(t, fired, 1) {
			a := fired[0]
			assert.Equal(t, map[string]string{"alertname": "Hot", "job": "oven", "severity": "Page", "team": "sre", "cluster": "eu"}, a.Labels)
			assert.Equal(t, map[string]string{"summary": "oven has 40 degrees"}, a.Annotations)
			assert.Equal(t, alert.Critical, a.Severity, "by the map, whatever the case")
			assert.Equal(t, alert.Firing, a.Status)
			assert.WithinRange(t, a.StartsAt, began, began.Add(30*time.Second), "since the condition holds")
			assert.Equal(t, time.Minute, a.UpdatedAt.Sub(a.StartsAt))
			assert.InDelta(t, 40, *a.Value, 0)
			assert.Contains(t, a.GeneratorURL, "http://localhost:8090/prometheus/graph?g0.expr=job%3Atemperature%3Amax")
		}
		assert.Equal(t, map[string]float64{`{__name__="job:temperature:max", job="oven"}`: 40}, b.store.query(t, "job:temperature:max"))
		assert.Equal(t, map[string]float64{`{__name__="ALERTS", alertname="Hot", alertstate="firing", job="oven", severity="Page", team="sre"}`: 1}, b.store.query(t, "ALERTS"))

		b.pass(3*time.Minute, 40, "temperature", "job", "oven")
		assert.NotEmpty(t, b.next.got(), "sent again")

		b.pass(30*time.Second, 20, "temperature", "job", "oven")
		ended := b.next.take()
		if assert.Len(t, ended, 1) {
			assert.Equal(t, alert.Resolved, ended[0].Status)
			assert.Equal(t, fired[0].StartsAt, ended[0].StartsAt)
			assert.Equal(t, ended[0].UpdatedAt, ended[0].EndsAt)
			assert.Equal(t, fired[0].Fingerprint(), ended[0].Fingerprint())
		}
	})
}

// database is an sql_store extension with one rule.
type database struct{ component.Component }

func (database) RulesRevision(context.Context) (int64, error) { return 1, nil }

func (database) EnabledRules(context.Context) ([]rule.Rule, int64, error) {
	return []rule.Rule{{
		ID: "rule-1", Name: "Down", Query: "up == 0", Duration: "0s", EvaluationInterval: "5s", Severity: alert.Critical, Enabled: true,
	}}, 1, nil
}

func TestStoredRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, down)
		b.cfg.SQLStore = component.MustNewID("sql_store")
		b.host = &host{extensions: map[component.ID]component.Component{b.cfg.MetricStore: b.store, b.cfg.SQLStore: database{}}}
		p, err := newProcessor(b.cfg, b.set, b.next)
		require.NoError(t, err)
		require.NoError(t, p.Start(t.Context(), b.host))
		b.proc = p
		defer b.close()
		b.pass(25*time.Second, 0, "up", "instance", "a")
		ids := map[string]bool{}
		for _, a := range b.next.take() {
			ids[a.RuleID] = true
			if a.RuleID == "rule-1" {
				assert.Equal(t, alert.Critical, a.Severity)
			}
		}
		assert.Equal(t, map[string]bool{"": true, "rule-1": true}, ids, "that of the file and the stored one")
	})
}

func TestStartWithoutTheStoreOfRules(t *testing.T) {
	b := newBench(t, down)
	defer b.close()
	b.cfg.SQLStore = component.MustNewID("sql_store")
	p, err := newProcessor(b.cfg, b.set, b.next)
	require.NoError(t, err)
	b.proc = p
	err = p.Start(t.Context(), &host{extensions: map[component.ID]component.Component{b.cfg.MetricStore: b.store}})
	require.ErrorContains(t, err, `"sql_store": extension "sql_store" is not running`)
}
