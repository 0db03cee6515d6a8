package monitoringapiextension

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/dryrun"
	"github.com/quantivista/monitoring/internal/metricstore"
	"github.com/quantivista/monitoring/internal/problem"
	"github.com/quantivista/monitoring/internal/rule"
	"github.com/quantivista/monitoring/internal/ruleset"
)

const (
	// dryRunTime is what a dry run may take: less than a request.
	dryRunTime = time.Minute
	// dryRunRange is what is tried where the request does not say.
	dryRunRange = time.Hour
	// dryRunPoints is how many evaluations a range gets, at most, where the request names no step.
	dryRunPoints = 1_000
)

// DryRunAlertRule tries the rule of the request.
func (s *restServer) DryRunAlertRule(ctx context.Context, request api.DryRunAlertRuleRequestObject) (api.DryRunAlertRuleResponseObject, error) {
	wanted := fromAlertRule(request.Body, &rule.Rule{Enabled: true, EvaluationInterval: defaultEvaluationInterval})
	if err := checkRule(ctx, &wanted); err != nil {
		return nil, err
	}
	p := request.Params
	result, err := s.dryRun(ctx, &wanted, dryRunParams{p.Start, p.End, p.Step, p.KeepFiringFor})
	if err != nil {
		return nil, err
	}
	return api.DryRunAlertRule200JSONResponse(result), nil
}

// DryRunStoredAlertRule tries a stored rule.
func (s *restServer) DryRunStoredAlertRule(ctx context.Context, request api.DryRunStoredAlertRuleRequestObject) (api.DryRunStoredAlertRuleResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	known, err := store.Rule(ctx, request.RuleID)
	if err != nil {
		return nil, err
	}
	p := request.Params
	result, err := s.dryRun(ctx, &known.Rule, dryRunParams{p.Start, p.End, p.Step, nil})
	if err != nil {
		return nil, err
	}
	return api.DryRunStoredAlertRule200JSONResponse(result), nil
}

// dryRunParams are the parameters of a request.
type dryRunParams struct{ start, end, step, keepFiringFor *string }

func (s *restServer) dryRun(ctx context.Context, r *rule.Rule, params dryRunParams) (api.AlertRuleDryRun, error) {
	tried, interval, err := triable(r)
	if err != nil {
		return api.AlertRuleDryRun{}, err
	}
	span, faults := params.parse(&tried, interval, s.now)
	if len(faults) > 0 {
		return api.AlertRuleDryRun{}, problem.Fields(http.StatusBadRequest, faults...)
	}
	limited, cancel := context.WithTimeout(ctx, dryRunTime)
	defer cancel()
	result, err := dryrun.Run(limited, dryRunStore(s.store), &tried, span)
	switch {
	case err == nil:
		return toDryRun(r, span, &result), nil
	case ctx.Err() == nil && limited.Err() != nil:
		return api.AlertRuleDryRun{}, fmt.Errorf("%w: the dry run took longer than %s", metricstore.ErrTimeout, dryRunTime)
	case errors.Is(err, dryrun.ErrTooMuch), errors.Is(err, rules.ErrDuplicateAlertLabelSet):
		return api.AlertRuleDryRun{}, problem.Field(http.StatusUnprocessableEntity, "query", "%s", err)
	default:
		return api.AlertRuleDryRun{}, err
	}
}

// triable gives a rule as the rule manager gets it.
func triable(r *rule.Rule) (dryrun.Rule, time.Duration, error) {
	group, err := ruleset.ToGroup(r)
	if err != nil {
		return dryrun.Rule{}, 0, problem.Field(http.StatusUnprocessableEntity, "query", "the stored rule is not valid: %s", err)
	}
	one := group.Rules[0]
	expr, err := parser.ParseExpr(one.Expr)
	return dryrun.Rule{
		Name: one.Alert, Query: expr, For: time.Duration(one.For), Labels: one.Labels, Annotations: one.Annotations,
	}, time.Duration(group.Interval), err
}

// parse finds every fault of the parameters, and fills in what is absent.
func (d dryRunParams) parse(r *dryrun.Rule, interval time.Duration, now func() time.Time) (dryrun.Span, []problem.FieldError) {
	var p parameters
	span := dryrun.Span{End: now().Truncate(time.Millisecond)}
	if d.end != nil {
		span.End = p.time("end", *d.end)
	}
	span.Start = span.End.Add(-dryRunRange)
	if d.start != nil {
		span.Start = p.time("start", *d.start)
	}
	// The evaluations before the start need times, too.
	if len(p.faults) == 0 && span.Start.Before(time.Unix(0, 0)) {
		p.fault("start", "must be in 1970 or later, and is an hour before \"end\" unless given")
	}
	if d.keepFiringFor != nil {
		keep, err := model.ParseDuration(*d.keepFiringFor)
		if err != nil {
			p.fault("keepFiringFor", "must be a duration such as 30s, 5m or 1h30m")
		}
		r.KeepFiringFor = time.Duration(keep)
	}
	if d.step != nil {
		span.Step = p.step(*d.step).Truncate(time.Millisecond) // as range queries do
	}
	switch {
	case len(p.faults) > 0:
		return span, p.faults
	case span.End.Before(span.Start):
		p.fault("end", "must not be before \"start\"")
		return span, p.faults
	}
	if d.step == nil {
		points := int64(span.End.Sub(span.Start) / interval)
		span.Step = interval * time.Duration(max(1, (points+dryRunPoints-1)/dryRunPoints))
	}
	if n := span.Evaluations(r); n > dryrun.MaxEvaluations {
		p.fault("step", fmt.Sprintf("%s makes %d evaluations, with those before \"start\" that the rule needs to fire, of which at most %d are made: take a larger step or a shorter range",
			span.Step, n, dryrun.MaxEvaluations))
	}
	return span, p.faults
}

// dryRunStore asks the metric store, with its limits.
func dryRunStore(store metricstore.Store) dryrun.Store {
	return dryrun.Store{
		Instant: func(ctx context.Context, expr string, at time.Time) (parser.Value, error) {
			result, err := store.Query(ctx, expr, at)
			return result.Value, err
		},
		Range: func(ctx context.Context, expr string, start, end time.Time, step time.Duration) (promql.Matrix, []string, error) {
			result, err := store.QueryRange(ctx, expr, metricstore.Range{Start: start, End: end, Step: step})
			if err != nil {
				return nil, nil, err
			}
			matrix, ok := result.Value.(promql.Matrix)
			if !ok {
				return nil, nil, fmt.Errorf("%w: the answer is a %s and no matrix", metricstore.ErrExecution, result.Value.Type())
			}
			return matrix, append(result.Warnings, result.Infos...), nil
		},
	}
}

func toDryRun(r *rule.Rule, span dryrun.Span, result *dryrun.Result) api.AlertRuleDryRun {
	answer := api.AlertRuleDryRun{
		Start: span.Start, End: span.End, Step: model.Duration(span.Step).String(), Evaluations: result.Evaluations,
		Fired: result.Fired, Firing: result.Firing, Pending: result.Pending, NeverFired: result.NeverFired,
		Alerts: make([]api.DryRunAlert, len(result.Alerts)), Truncated: result.Truncated,
	}
	for i := range result.Alerts {
		a := &result.Alerts[i]
		answer.Alerts[i] = api.DryRunAlert{
			Name: r.Name, Severity: api.AlertSeverity(r.Severity), State: api.DryRunAlertState(a.State),
			ActiveAt: a.ActiveAt.UTC(), FiredAt: given(a.FiredAt.UTC()), ResolvedAt: given(a.ResolvedAt.UTC()), Labels: a.Labels.Map(),
		}
		if !a.FiredAt.IsZero() {
			answer.Alerts[i].FiredFor = new(model.Duration(a.FiredFor(result.End)).String())
		}
		if !a.Annotations.IsEmpty() {
			answer.Alerts[i].Annotations = new(a.Annotations.Map())
		}
		if !math.IsNaN(a.Value) && !math.IsInf(a.Value, 0) {
			answer.Alerts[i].Value = &a.Value
		}
	}
	if len(result.Warnings) > 0 {
		answer.Warnings = &result.Warnings
	}
	return answer
}
