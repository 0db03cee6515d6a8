// Package rules_test runs the unit tests of the shipped rules, which are in the format of promtool test rules.
package rules_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/quantivista/monitoring/internal/ruleset"
)

// testFile is the part of promtool's format that the tests use; unknown keys are refused.
type testFile struct {
	RuleFiles          []string       `yaml:"rule_files"`
	EvaluationInterval model.Duration `yaml:"evaluation_interval"`
	Tests              []testGroup    `yaml:"tests"`
}

type testGroup struct {
	Name        string         `yaml:"name"`
	Interval    model.Duration `yaml:"interval"`
	InputSeries []struct {
		Series string `yaml:"series"`
		Values string `yaml:"values"`
	} `yaml:"input_series"`
	AlertTests []alertTest `yaml:"alert_rule_test"`
	ExprTests  []exprTest  `yaml:"promql_expr_test"`
}

type alertTest struct {
	EvalTime  model.Duration `yaml:"eval_time"`
	Alertname string         `yaml:"alertname"`
	ExpAlerts []struct {
		Labels      map[string]string `yaml:"exp_labels"`
		Annotations map[string]string `yaml:"exp_annotations"`
	} `yaml:"exp_alerts"`
}

type exprTest struct {
	Expr       string         `yaml:"expr"`
	EvalTime   model.Duration `yaml:"eval_time"`
	ExpSamples []struct {
		Labels string  `yaml:"labels"`
		Value  float64 `yaml:"value"`
	} `yaml:"exp_samples"`
}

// firing is an alert as a test expects it and as a rule raises it.
type firing struct{ Labels, Annotations map[string]string }

func TestRules(t *testing.T) {
	files, err := filepath.Glob("tests/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, path := range files {
		var f testFile
		decodeStrictly(t, path, &f)
		for i := range f.RuleFiles {
			f.RuleFiles[i] = filepath.Join("tests", f.RuleFiles[i])
		}
		for _, group := range f.Tests {
			t.Run(filepath.Base(path)+"/"+group.Name, func(t *testing.T) { group.run(t, f) })
		}
	}
}

func decodeStrictly(t *testing.T, path string, into any) {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(into), path)
}

func (g testGroup) run(t *testing.T, f testFile) {
	load := "load " + g.Interval.String() + "\n"
	for _, s := range g.InputSeries {
		load += "  " + s.Series + " " + s.Values + "\n"
	}
	loader, err := promqltest.NewLazyLoader(load, promqltest.LazyLoaderOpts{EnableAtModifier: true, EnableNegativeOffset: true})
	require.NoError(t, err)
	defer func() { require.NoError(t, loader.Close()) }()
	loader.SubqueryInterval = time.Duration(f.EvaluationInterval)
	query := rules.EngineQueryFunc(loader.QueryEngine(), loader.Storage())
	manager := rules.NewManager(&rules.ManagerOptions{
		QueryFunc: query, Appendable: loader.Storage(), Context: context.Background(), Logger: promslog.NewNopLogger(),
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
	})
	loaded, errs := manager.LoadGroups(time.Duration(f.EvaluationInterval), labels.EmptyLabels(), "", nil, false, f.RuleFiles...)
	require.Empty(t, errs)
	groups := inOrder(loaded)

	start := time.Unix(0, 0).UTC()
	for at := start; !at.After(start.Add(g.last())); at = at.Add(time.Duration(f.EvaluationInterval)) {
		loader.WithSamplesTill(at, func(err error) {
			require.NoError(t, err)
			for _, group := range groups {
				group.Eval(loader.Context(), at)
				for _, r := range group.Rules() {
					require.NoError(t, r.LastError(), "%s at %s", r.Name(), at.Sub(start))
				}
			}
		})
		for _, test := range g.AlertTests {
			if start.Add(time.Duration(test.EvalTime)).Equal(at) {
				assert.ElementsMatch(t, test.expected(), raised(groups, test.Alertname), "%s at %s", test.Alertname, test.EvalTime)
			}
		}
	}
	for _, test := range g.ExprTests {
		vector, err := query(loader.Context(), test.Expr, start.Add(time.Duration(test.EvalTime)))
		require.NoError(t, err)
		require.Len(t, vector, len(test.ExpSamples), "%s at %s: %s", test.Expr, test.EvalTime, vector)
		for i, want := range test.ExpSamples {
			assert.InDelta(t, want.Value, vector[i].F, 1e-9, "%s at %s", test.Expr, test.EvalTime)
		}
	}
}

// inOrder gives the groups with their alerts set to write ALERTS from the first evaluation.
func inOrder(loaded map[string]*rules.Group) []*rules.Group {
	var groups []*rules.Group
	for _, g := range loaded {
		groups = append(groups, g)
		for _, r := range g.AlertingRules() {
			r.SetRestored(true)
		}
	}
	slices.SortFunc(groups, func(a, b *rules.Group) int { return strings.Compare(a.Name(), b.Name()) })
	return groups
}

// last gives the latest time that is looked at.
func (g testGroup) last() time.Duration {
	var last model.Duration
	for _, test := range g.AlertTests {
		last = max(last, test.EvalTime)
	}
	for _, test := range g.ExprTests {
		last = max(last, test.EvalTime)
	}
	return time.Duration(last)
}

func (a alertTest) expected() []firing {
	all := []firing{}
	for _, e := range a.ExpAlerts {
		ls := map[string]string{labels.AlertName: a.Alertname}
		for name, value := range e.Labels {
			ls[name] = value
		}
		all = append(all, firing{ls, e.Annotations})
	}
	return all
}

func raised(groups []*rules.Group, name string) []firing {
	all := []firing{}
	for _, g := range groups {
		for _, r := range g.AlertingRules() {
			for _, a := range r.ActiveAlerts() {
				if r.Name() == name && a.State == rules.StateFiring {
					all = append(all, firing{a.Labels.Map(), a.Annotations.Map()})
				}
			}
		}
	}
	return all
}

// TestEveryRuleIsShippedWhole wants of each alert what an on-call engineer needs, and a test in which it fires; of
// each recording rule a test that uses it.
func TestEveryRuleIsShippedWhole(t *testing.T) {
	files, err := filepath.Glob("*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, path := range files {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		groups, faults := ruleset.Parse(path, content)
		require.Empty(t, faults)
		var tests testFile
		decodeStrictly(t, filepath.Join("tests", path), &tests)
		read, err := os.ReadFile(filepath.Join("runbooks", strings.TrimSuffix(path, ".yaml")+".md"))
		require.NoError(t, err)
		runbook := string(read)
		fires := map[string]bool{}
		queried := string(content)
		for _, g := range tests.Tests {
			for _, a := range g.AlertTests {
				fires[a.Alertname] = fires[a.Alertname] || len(a.ExpAlerts) > 0
			}
			for _, e := range g.ExprTests {
				queried += e.Expr
			}
		}
		for _, g := range groups {
			for _, r := range g.Rules {
				if r.Record != "" {
					assert.Greater(t, strings.Count(queried, r.Record), 1, "%s: nothing uses %s", path, r.Record)
					continue
				}
				assert.Contains(t, []string{"critical", "high", "medium", "low", "info"}, r.Labels["severity"], "%s: %s", path, r.Alert)
				for _, annotation := range []string{"summary", "description", "runbook_url"} {
					assert.NotEmpty(t, r.Annotations[annotation], "%s: %s has no %s", path, r.Alert, annotation)
				}
				assert.Contains(t, r.Annotations["runbook_url"], "#"+strings.ToLower(r.Alert), "%s: %s", path, r.Alert)
				assert.Contains(t, runbook, "\n## "+r.Alert+"\n", "%s has no runbook", r.Alert)
				assert.True(t, fires[r.Alert], "%s: %s fires in no test", path, r.Alert)
			}
		}
	}
}
