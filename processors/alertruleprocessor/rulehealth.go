package alertruleprocessor

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/ruleset"
)

const (
	// builtinFile is what /api/v1/rules shows as the file of the rule below.
	builtinFile = "built-in"
	// failingQuery is answered by this processor, not by the store: one sample for each rule whose last evaluation
	// failed. The store may be what fails.
	failingQuery = "monitoring_rule_evaluation_failing"
)

// builtin is the source of the one rule that everybody has.
func builtin(interval time.Duration) ruleset.Set {
	return ruleset.Set{Version: "1", Files: []ruleset.File{{Name: builtinFile, Groups: []rulefmt.RuleGroup{{
		Name: "rule_evaluation",
		Rules: []rulefmt.Rule{{
			Alert:  "MonitoringRuleEvaluationFailing",
			Expr:   failingQuery,
			For:    model.Duration(interval), // so that one failed evaluation alone does not alert
			Labels: map[string]string{alert.SeverityLabel: "high"},
			Annotations: map[string]string{
				"summary": "Rule {{ $labels.rule_name }} cannot be evaluated",
				"description": "Rule {{ $labels.rule_name }} of group {{ $labels.rule_group }} ({{ $labels.rule_file }}) fails: it neither alerts nor records. " +
					"The error is in /prometheus/api/v1/rules and in the log.",
			},
		}},
	}}}}}
}

// ruleHealth knows which rules failed at their last evaluation. Prometheus' rule manager knows it too, but holds a
// lock while it waits for evaluations to end, so that an evaluation must not ask it.
type ruleHealth struct {
	mu      sync.Mutex
	failing map[string][]labels.Labels // by key of the group, sorted, each once
}

func newRuleHealth() *ruleHealth { return &ruleHealth{failing: map[string][]labels.Labels{}} }

// record looks at a group that was just evaluated.
func (h *ruleHealth) record(g *rules.Group) {
	var failing []labels.Labels
	for _, r := range g.Rules() {
		if r.Health() == rules.HealthBad {
			failing = append(failing, labels.FromStrings("rule_file", g.File(), "rule_group", g.Name(), "rule_name", r.Name()))
		}
	}
	slices.SortFunc(failing, labels.Compare)
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(failing) == 0 {
		delete(h.failing, rules.GroupKey(g.File(), g.Name()))
	} else {
		h.failing[rules.GroupKey(g.File(), g.Name())] = slices.CompactFunc(failing, labels.Equal)
	}
}

// keep forgets all groups but these.
func (h *ruleHealth) keep(groups []*rules.Group) {
	keys := make(map[string]struct{}, len(groups))
	for _, g := range groups {
		keys[rules.GroupKey(g.File(), g.Name())] = struct{}{}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for key := range h.failing {
		if _, has := keys[key]; !has {
			delete(h.failing, key)
		}
	}
}

// vector answers failingQuery.
func (h *ruleHealth) vector(at time.Time) promql.Vector {
	h.mu.Lock()
	defer h.mu.Unlock()
	vector := promql.Vector{}
	for _, failing := range h.failing {
		for _, ls := range failing {
			vector = append(vector, promql.Sample{T: at.UnixMilli(), F: 1, Metric: ls})
		}
	}
	return vector
}

// evaluate is Prometheus' evaluation of a group, of which it takes note. after is called at its end.
func (h *ruleHealth) evaluate(tracer trace.Tracer, after func()) rules.GroupEvalIterationFunc {
	return func(ctx context.Context, g *rules.Group, at time.Time) {
		ctx, span := tracer.Start(ctx, "evaluate rule group")
		defer span.End()
		if span.IsRecording() {
			span.SetAttributes(attribute.String("rule.group", g.Name()), attribute.String("rule.file", g.File()), attribute.Int("rule.count", len(g.Rules())))
			defer func() { describe(span, g) }()
		}
		rules.DefaultEvalIterationFunc(ctx, g, at)
		h.record(g)
		after()
	}
}

// describe tells of an evaluation how many rules failed, and why the first did.
func describe(span trace.Span, g *rules.Group) {
	failed := 0
	for _, rule := range g.Rules() {
		if err := rule.LastError(); err != nil {
			failed++
			if failed == 1 {
				span.SetStatus(codes.Error, rule.Name()+": "+err.Error())
			}
		}
	}
	span.SetAttributes(attribute.Int("rule.failed", failed))
}
