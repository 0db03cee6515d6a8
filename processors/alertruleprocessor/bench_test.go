package alertruleprocessor

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/quantivista/monitoring/extensions/metricstoreextension"
)

// The case of the cost of rules: 2,000 rules over 100,000 series, 50 each, in 40 groups.
const (
	benchGroups, benchRules, benchSeries = 40, 50, 50
	benchSamples, benchScrape            = 40, 15 * time.Second
)

// BenchmarkRuleCycle evaluates all rules once, by this processor on the metric store and by a plain rule manager on a
// TSDB, as a Prometheus has them.
func BenchmarkRuleCycle(b *testing.B) {
	b.Run("alert_rule", func(b *testing.B) {
		h, store := benchStore(b)
		bench := newBench(b, benchRuleFile())
		bench.store.close(b)
		bench.cfg.EvaluationInterval = 24 * time.Hour // all evaluations are the benchmark's
		p, err := newProcessor(bench.cfg, bench.set, bench.next)
		require.NoError(b, err)
		fill(b, store)
		require.NoError(b, p.Start(context.Background(), h))
		defer func() { require.NoError(b, p.Shutdown(context.Background())) }()
		var groups []*rules.Group
		require.Eventually(b, func() bool {
			groups = p.running.manager.RuleGroups()
			return len(groups) == benchGroups+1
		}, time.Minute, 10*time.Millisecond)
		cycles(b, groups, p.running.reloader.evaluate)
	})
	b.Run("prometheus", func(b *testing.B) {
		db, err := tsdb.Open(b.TempDir(), promslog.NewNopLogger(), nil, tsdb.DefaultOptions(), nil)
		require.NoError(b, err)
		defer func() { require.NoError(b, db.Close()) }()
		fill(b, db)
		engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 50_000_000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute, EnableAtModifier: true, EnableNegativeOffset: true})
		manager := rules.NewManager(&rules.ManagerOptions{
			QueryFunc: rules.EngineQueryFunc(engine, db), NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
			Context: context.Background(), Appendable: db, Queryable: db, Logger: promslog.NewNopLogger(),
		})
		file := newBench(b, benchRuleFile())
		file.store.close(b)
		loaded, errs := manager.LoadGroups(24*time.Hour, labels.EmptyLabels(), "", nil, false, file.dir+"/rules.yaml")
		require.Empty(b, errs)
		var groups []*rules.Group
		for _, g := range loaded {
			groups = append(groups, g)
		}
		cycles(b, groups, rules.DefaultEvalIterationFunc)
	})
}

// benchStore runs the real metric_store extension until the end of the benchmark.
func benchStore(b *testing.B) (*host, storage.Appendable) {
	b.Helper()
	factory := metricstoreextension.NewFactory()
	cfg := factory.CreateDefaultConfig().(*metricstoreextension.Config)
	cfg.Directory = b.TempDir()
	ext, err := factory.Create(context.Background(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(b, err)
	h := &host{extensions: map[component.ID]component.Component{component.MustNewID("metric_store"): ext}}
	require.NoError(b, ext.Start(context.Background(), h))
	b.Cleanup(func() { require.NoError(b, ext.Shutdown(context.Background())) })
	return h, ext.(storage.Appendable)
}

// benchRuleFile has half error ratios over rate, half max_over_time.
func benchRuleFile() string {
	var file strings.Builder
	file.WriteString("groups:\n")
	for g := range benchGroups {
		fmt.Fprintf(&file, "- name: g%d\n  rules:\n", g)
		for r := range benchRules {
			if r%2 == 0 {
				fmt.Fprintf(&file, "  - {record: 'job:errors:ratio', labels: {job: 'j%[1]d'}, expr: 'sum(rate(requests_total{job=\"j%[1]d\",code=\"500\"}[2m])) / sum(rate(requests_total{job=\"j%[1]d\"}[2m]))'}\n", g*benchRules+r)
			} else {
				fmt.Fprintf(&file, "  - {alert: High%[1]d, expr: 'max_over_time(requests_total{job=\"j%[1]d\"}[2m]) > 1e9', for: 5m}\n", g*benchRules+r)
			}
		}
	}
	return file.String()
}

// fill writes ten minutes of samples that end now.
func fill(b *testing.B, to storage.Appendable) {
	b.Helper()
	end := time.Now().UnixMilli()
	refs := make([]storage.SeriesRef, benchGroups*benchRules*benchSeries)
	series := make([]labels.Labels, len(refs))
	for i := range series {
		code := [2]string{"200", "500"}[i%2]
		series[i] = labels.FromStrings(model.MetricNameLabel, "requests_total", "job", fmt.Sprintf("j%d", i/benchSeries), "code", code, "instance", fmt.Sprint(i%benchSeries))
	}
	for s := range benchSamples {
		app := to.Appender(context.Background())
		at := end - int64(benchSamples-1-s)*benchScrape.Milliseconds()
		for i := range refs {
			ref, err := app.Append(refs[i], series[i], at, float64(s*(i%100)))
			require.NoError(b, err)
			refs[i] = ref
		}
		require.NoError(b, app.Commit())
	}
}

// cycles evaluates all groups at once, as their timers may, and reports the CPU time of a cycle.
func cycles(b *testing.B, groups []*rules.Group, evaluate rules.GroupEvalIterationFunc) {
	b.Helper()
	at := time.Now()
	before := cpu(b)
	b.ResetTimer()
	for b.Loop() {
		at = at.Add(time.Millisecond)
		var all sync.WaitGroup
		for _, g := range groups {
			all.Go(func() { evaluate(context.Background(), g, at) })
		}
		all.Wait()
	}
	b.StopTimer()
	b.ReportMetric((cpu(b)-before).Seconds()/float64(b.N), "cpu-s/cycle")
	for _, g := range groups {
		for _, r := range g.Rules() {
			require.NoError(b, r.LastError(), r.Name())
		}
	}
}

// cpu gives the time that this process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
