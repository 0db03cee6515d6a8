package dryrun

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/teststorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// loaded gives a store on the loaded series, in promqltest's notation, and what it stands on.
func loaded(t testing.TB, load string) (Store, *promql.Engine, *teststorage.TestStorage) {
	t.Helper()
	data := promqltest.LoadedStorage(t, load)
	t.Cleanup(func() { require.NoError(t, data.Close()) })
	engine := promqltest.NewTestEngine(t, false, 5*time.Minute, 1_000_000)
	return Store{
		Instant: func(ctx context.Context, expr string, at time.Time) (parser.Value, error) {
			q, err := engine.NewInstantQuery(ctx, data, nil, expr, at)
			if err != nil {
				return nil, err
			}
			r := q.Exec(ctx)
			return r.Value, r.Err
		},
		Range: func(ctx context.Context, expr string, start, end time.Time, step time.Duration) (promql.Matrix, []string, error) {
			q, err := engine.NewRangeQuery(ctx, data, nil, expr, start, end, step)
			if err != nil {
				return nil, nil, err
			}
			r := q.Exec(ctx)
			matrix, err := r.Matrix()
			warnings, infos := r.Warnings.AsStrings(expr, 0, 0)
			return matrix, append(warnings, infos...), err
		},
	}, engine, data
}

func newRule(t testing.TB, query string) *Rule {
	t.Helper()
	expr, err := parser.ParseExpr(query)
	require.NoError(t, err)
	return &Rule{Name: "A", Query: expr}
}

func minute(n int) time.Time { return time.Unix(int64(60*n), 0) }

// texts writes alerts as "instance: state, activeAt firedAt resolvedAt" in minutes.
func texts(alerts []Alert) (all []string) {
	for _, a := range alerts {
		text := fmt.Sprintf("%s: %s, %d", a.Labels.Get("instance"), a.State, a.ActiveAt.Unix()/60)
		for _, at := range []time.Time{a.FiredAt, a.ResolvedAt} {
			if !at.IsZero() {
				text += fmt.Sprintf(" %d", at.Unix()/60)
			}
		}
		all = append(all, text)
	}
	return all
}

func TestRun(t *testing.T) {
	store, _, _ := loaded(t, `load 1m
		v{instance="a"} 0x9 5x9 0x40
		v{instance="b"} 0x9 5x1 0x40
		v{instance="c"} 0x54 5x10
		v{instance="d"} 0x58 5x10
		v{instance="before"} 5x60`)
	r := newRule(t, "v > 1")
	r.For = 3 * time.Minute
	r.Labels = map[string]string{"severity": "high"}
	r.Annotations = map[string]string{"summary": "{{ $labels.instance }} is {{ $value }} of {{ with query \"count(v)\" }}{{ . | first | value }}{{ end }}"}
	got, err := Run(t.Context(), store, r, Span{Start: minute(5), End: minute(60), Step: time.Minute})
	require.NoError(t, err)
	assert.Equal(t, []string{"before: firing, 2 5", "a: resolved, 10 13 20", "c: firing, 55 58", "d: pending, 59"}, texts(got.Alerts))
	assert.Equal(t, 3, got.Fired)
	assert.Equal(t, 2, got.Firing)
	assert.Equal(t, 1, got.Pending)
	assert.Equal(t, 1, got.NeverFired, "b")
	assert.Equal(t, 59, got.Evaluations, "three before the start")
	assert.False(t, got.Truncated)
	assert.Equal(t, labels.FromStrings("alertname", "A", "instance", "a", "severity", "high"), got.Alerts[1].Labels)
	assert.Equal(t, "a is 5 of 5", got.Alerts[1].Annotations.Get("summary"))
	assert.Equal(t, 7*time.Minute, got.Alerts[1].FiredFor(got.End))
	assert.Equal(t, 2*time.Minute, got.Alerts[2].FiredFor(got.End))
	assert.Zero(t, got.Alerts[3].FiredFor(got.End))
}

func TestKeepFiringFor(t *testing.T) {
	store, _, _ := loaded(t, "load 1m\n"+`v{instance="a"} 0x9 5x9 0x40`)
	r := newRule(t, "v > 1")
	r.KeepFiringFor = 4 * time.Minute
	got, err := Run(t.Context(), store, r, Span{Start: minute(5), End: minute(40), Step: time.Minute})
	require.NoError(t, err)
	assert.Equal(t, []string{"a: resolved, 10 10 24"}, texts(got.Alerts))
}

func TestAScalarAndTheEndOfTheRange(t *testing.T) {
	store, _, _ := loaded(t, "load 1m\n"+`v{instance="a"} 0x30 1x30`)
	got, err := Run(t.Context(), store, newRule(t, "1"), Span{Start: minute(1), End: minute(2), Step: time.Minute})
	require.NoError(t, err)
	assert.Equal(t, 1, got.Firing)

	// A rule is evaluated at one time, so that end() is that time.
	got, err = Run(t.Context(), store, newRule(t, "v @ end() > 0"), Span{Start: minute(20), End: minute(40), Step: time.Minute})
	require.NoError(t, err)
	assert.Equal(t, []string{"a: firing, 31 31"}, texts(got.Alerts))
}

func TestBounds(t *testing.T) {
	series := func(n int) string {
		var load strings.Builder
		load.WriteString("load 1m\n")
		for i := range n {
			fmt.Fprintf(&load, "v{instance=\"%d\"} 1x100\n", i)
		}
		return load.String()
	}
	store, _, _ := loaded(t, series(1200))
	for name, tt := range map[string]struct {
		query, annotation, want string
		span                    Span
	}{
		"evaluations": {"v", "", "11001 evaluations", Span{minute(0), time.Unix(11000, 0), time.Second}},
		"series":      {"v", "", "more than 100000 alerts", Span{minute(0), minute(99), time.Minute}},
		"each series": {"v @ end()", "", "more than 100000 alerts", Span{minute(0), minute(99), time.Minute}},
		"queries":     {"v", `{{ query "1" }}`, "more than 1000 queries", Span{minute(0), minute(0), time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRule(t, tt.query)
			r.Annotations = map[string]string{"a": tt.annotation}
			_, err := Run(t.Context(), store, r, tt.span)
			require.ErrorIs(t, err, ErrTooMuch)
			assert.ErrorContains(t, err, tt.want)
		})
	}
	got, err := Run(t.Context(), store, newRule(t, "v"), Span{minute(0), minute(3), time.Minute})
	require.NoError(t, err)
	assert.True(t, got.Truncated)
	assert.Len(t, got.Alerts, MaxAlerts)
	assert.Equal(t, 1200, got.Firing)
}

func TestErrorsAreTold(t *testing.T) {
	store, _, _ := loaded(t, `load 1m
		v{instance="a"} 1x10
		v{instance="b"} 1x10`)
	r := newRule(t, "v")
	r.Labels = map[string]string{"instance": "same"}
	_, err := Run(t.Context(), store, r, Span{minute(1), minute(2), time.Minute})
	require.ErrorIs(t, err, rules.ErrDuplicateAlertLabelSet)
	assert.ErrorContains(t, err, "at 1970-01-01T00:01:00Z")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Run(ctx, store, newRule(t, "v"), Span{minute(1), minute(2), time.Minute})
	require.ErrorIs(t, err, context.Canceled)
}

// nowhere takes the series of alerts, which nobody asks for.
type nowhere struct{ storage.Appender }

func (nowhere) Append(storage.SeriesRef, labels.Labels, int64, float64) (storage.SeriesRef, error) {
	return 0, nil
}
func (nowhere) Commit() error   { return nil }
func (nowhere) Rollback() error { return nil }

func (nowhere) SetOptions(*storage.AppendOptions) {}

type discarding struct{}

func (discarding) Appender(context.Context) storage.Appender { return nowhere{} }

// byManager has a group of Prometheus' rule manager evaluate the rule at every step, and gives what it notifies of: the
// last notification of each alert that fired.
func byManager(t *rapid.T, engine *promql.Engine, data storage.Queryable, r *Rule, from, end time.Time, step time.Duration) (told []string) {
	type id struct {
		labels string
		active int64
	}
	last := map[id]rules.Alert{}
	opts := &rules.ManagerOptions{
		QueryFunc: rules.EngineQueryFunc(engine, data), Appendable: discarding{}, Queryable: data, Context: context.Background(),
		Logger: promslog.NewNopLogger(), ExternalURL: &url.URL{},
		NotifyFunc: func(_ context.Context, _ string, alerts ...*rules.Alert) {
			for _, a := range alerts {
				last[id{a.Labels.String(), a.ActiveAt.UnixMilli()}] = *a
			}
		},
	}
	rule := rules.NewAlertingRule(r.Name, r.Query, r.For, r.KeepFiringFor, labels.FromMap(r.Labels), labels.FromMap(r.Annotations), labels.EmptyLabels(), "", true, promslog.NewNopLogger())
	group := rules.NewGroup(rules.GroupOptions{Name: "g", File: "f", Interval: step, Rules: []rules.Rule{rule}, Opts: opts})
	for at := from; !at.After(end); at = at.Add(step) {
		group.Eval(context.Background(), at)
		if err := rule.LastError(); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range last {
		told = append(told, tell(a.Labels, a.Annotations, a.Value, a.ActiveAt, a.FiredAt, a.ResolvedAt))
	}
	slices.Sort(told)
	return told
}

func tell(ls, annotations labels.Labels, value float64, times ...time.Time) string {
	text := fmt.Sprintf("%s %s %g", ls, annotations, value)
	for _, at := range times {
		if at.IsZero() {
			text += " -"
		} else {
			text += fmt.Sprintf(" %d", at.Unix())
		}
	}
	return text
}

// What a dry run tells is what Prometheus' own rule manager would have told, evaluation by evaluation.
func TestSameAsTheRuleManager(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var load strings.Builder
		load.WriteString("load 15s\n")
		for i := range rapid.IntRange(1, 4).Draw(rt, "series") {
			fmt.Fprintf(&load, "v{instance=\"%d\"}", i)
			for range rapid.IntRange(1, 12).Draw(rt, "runs") {
				value := rapid.SampledFrom([]string{"0", "1", "2", "_", "stale"}).Draw(rt, "value")
				n := rapid.IntRange(1, 20).Draw(rt, "length")
				load.WriteString(strings.Repeat(" "+value, n))
			}
			load.WriteString("\n")
		}
		store, engine, data := loaded(t, load.String())
		r := newRule(t, rapid.SampledFrom([]string{
			"v > 0", "max_over_time(v[1m]) > 1", "sum(v) > 2", "absent(v)", "v @ start() > 0", "v offset 30s == 1",
		}).Draw(rt, "query"))
		seconds := func(name string, least int) time.Duration {
			return time.Duration(rapid.IntRange(least, 120).Draw(rt, name)) * time.Second
		}
		r.For, r.KeepFiringFor = seconds("for", 0), seconds("keep", 0)
		r.Labels = map[string]string{"severity": "high", "value": rapid.SampledFrom([]string{"", "{{ $value }}"}).Draw(rt, "label")}
		r.Annotations = map[string]string{"summary": "{{ $labels.instance }} {{ $value }}"}
		span := Span{Start: time.Unix(int64(rapid.IntRange(600, 1200).Draw(rt, "start")), 0), Step: seconds("step", 5)}
		span.End = span.Start.Add(20 * time.Minute)

		got, err := Run(context.Background(), store, r, span)
		if err != nil {
			rt.Fatal(err)
		}
		var told []string
		for _, a := range got.Alerts {
			if !a.FiredAt.IsZero() {
				told = append(told, tell(a.Labels, a.Annotations, a.Value, a.ActiveAt, a.FiredAt, a.ResolvedAt))
			}
		}
		slices.Sort(told)
		from := span.Start.Add(-time.Duration(span.LeadIn(r)) * span.Step)
		var since []string
		for _, text := range byManager(rt, engine, data, r, from, span.End, span.Step) {
			fields := strings.Fields(text)
			var resolved int64
			if _, err := fmt.Sscan(fields[len(fields)-1], &resolved); err != nil || resolved >= span.Start.Unix() {
				since = append(since, text) // what was over before the start is not told
			}
		}
		assert.Equal(rt, since, told)
	})
}
