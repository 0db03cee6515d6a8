package monitoringapiextension

import (
	"context"
	"errors"
	"net/http"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/extensions/monitoringapiextension/internal/rulecheck"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/problem"
	"github.com/quantivista/monitoring/internal/rule"
	"github.com/quantivista/monitoring/internal/state"
)

// maxRuleAttempts bounds how often a writer that wants to be the last is overtaken.
const maxRuleAttempts = 5

// ListAlertRules tells a page of stored rules, by name.
func (s *restServer) ListAlertRules(ctx context.Context, request api.ListAlertRulesRequestObject) (api.ListAlertRulesResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	p := request.Params
	list, err := store.Rules(ctx, rule.Query{Enabled: p.Enabled, Severity: alert.Severity(deref(p.Severity)), Page: page(p.Limit, p.Cursor)})
	if err != nil {
		return nil, pageError(err)
	}
	answer := api.ListAlertRules200JSONResponse{Body: make([]api.AlertRule, len(list.Rules))}
	for i := range list.Rules {
		answer.Body[i] = toAlertRule(&list.Rules[i])
	}
	answer.Headers.Link = nextLink(ctx, list.Next)
	return answer, nil
}

// CreateAlertRule stores a rule that Prometheus takes.
func (s *restServer) CreateAlertRule(ctx context.Context, request api.CreateAlertRuleRequestObject) (api.CreateAlertRuleResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	wanted := fromAlertRule(request.Body, &rule.Rule{Enabled: true, EvaluationInterval: defaultEvaluationInterval, CreatedBy: author(ctx)})
	if err := checkRule(ctx, &wanted); err != nil {
		return nil, err
	}
	created, err := store.CreateRule(ctx, wanted)
	if err != nil {
		return nil, err
	}
	return api.CreateAlertRule201JSONResponse{
		Body: toAlertRule(&rule.Summary{Rule: created}),
		Headers: api.CreateAlertRule201ResponseHeaders{
			ETag: new(etag(created.Version)), Location: new("/api/v1/alerts/rules/" + created.ID),
		},
	}, nil
}

// GetAlertRule tells one stored rule.
func (s *restServer) GetAlertRule(ctx context.Context, request api.GetAlertRuleRequestObject) (api.GetAlertRuleResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	found, err := store.Rule(ctx, request.RuleID)
	if err != nil {
		return nil, err
	}
	return api.GetAlertRule200JSONResponse{
		Body: toAlertRule(&found), Headers: api.GetAlertRule200ResponseHeaders{ETag: new(etag(found.Version))},
	}, nil
}

// UpdateAlertRule replaces a stored rule.
func (s *restServer) UpdateAlertRule(ctx context.Context, request api.UpdateAlertRuleRequestObject) (api.UpdateAlertRuleResponseObject, error) {
	if id := deref(request.Body.ID); id != "" && id != request.RuleID {
		return nil, problem.Field(http.StatusBadRequest, "id", "must be that of the path, %s, or absent", request.RuleID)
	}
	changed, err := s.changeRule(ctx, request.RuleID, request.Params.IfMatch, func(store stateStore, known *rule.Rule) error {
		wanted := fromAlertRule(request.Body, known)
		if err := checkRule(ctx, &wanted); err != nil {
			return err
		}
		_, err := store.UpdateRule(ctx, wanted)
		return err
	})
	if err != nil {
		return nil, err
	}
	return api.UpdateAlertRule200JSONResponse{
		Body: toAlertRule(&changed), Headers: api.UpdateAlertRule200ResponseHeaders{ETag: new(etag(changed.Version))},
	}, nil
}

// EnableAlertRule has a rule evaluated.
func (s *restServer) EnableAlertRule(ctx context.Context, request api.EnableAlertRuleRequestObject) (api.EnableAlertRuleResponseObject, error) {
	changed, err := s.changeRule(ctx, request.RuleID, request.Params.IfMatch, setEnabled(ctx, true))
	if err != nil {
		return nil, err
	}
	return api.EnableAlertRule200JSONResponse{
		Body: toAlertRule(&changed), Headers: api.EnableAlertRule200ResponseHeaders{ETag: new(etag(changed.Version))},
	}, nil
}

// DisableAlertRule has a rule kept and not evaluated.
func (s *restServer) DisableAlertRule(ctx context.Context, request api.DisableAlertRuleRequestObject) (api.DisableAlertRuleResponseObject, error) {
	changed, err := s.changeRule(ctx, request.RuleID, request.Params.IfMatch, setEnabled(ctx, false))
	if err != nil {
		return nil, err
	}
	return api.DisableAlertRule200JSONResponse{
		Body: toAlertRule(&changed), Headers: api.DisableAlertRule200ResponseHeaders{ETag: new(etag(changed.Version))},
	}, nil
}

func setEnabled(ctx context.Context, enabled bool) func(stateStore, *rule.Rule) error {
	return func(store stateStore, known *rule.Rule) error {
		if known.Enabled == enabled {
			return nil
		}
		_, err := store.SetRuleEnabled(ctx, known.ID, known.Version, enabled)
		return err
	}
}

// changeRule changes the stored rule of a version that a header If-Match allows, and gives the rule as it is then.
func (s *restServer) changeRule(ctx context.Context, id string, header *api.IfMatch, change func(stateStore, *rule.Rule) error) (rule.Summary, error) {
	store, err := s.stored()
	if err != nil {
		return rule.Summary{}, err
	}
	if err := onVersion(ctx, store, id, header, change); err != nil {
		return rule.Summary{}, err
	}
	return store.Rule(ctx, id)
}

// onVersion reads, checks and changes; once more where another changed the rule in between, which If-Match then finds.
func onVersion(ctx context.Context, store stateStore, id string, header *api.IfMatch, change func(stateStore, *rule.Rule) error) error {
	check, err := ifMatch(header)
	if err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		known, err := store.Rule(ctx, id)
		if err != nil {
			return err
		}
		if err := check(known.Version); err != nil {
			return err
		}
		if err := change(store, &known.Rule); !errors.Is(err, state.ErrVersion) || attempt == maxRuleAttempts {
			return err
		}
	}
}

// DeleteAlertRule removes a stored rule.
func (s *restServer) DeleteAlertRule(ctx context.Context, request api.DeleteAlertRuleRequestObject) (api.DeleteAlertRuleResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	err = onVersion(ctx, store, request.RuleID, request.Params.IfMatch, func(store stateStore, known *rule.Rule) error {
		return store.DeleteRule(ctx, known.ID, known.Version)
	})
	if err != nil {
		return nil, err
	}
	return api.DeleteAlertRule204Response{}, nil
}

// checkRule gives the faults of a rule as a problem that names every field.
func checkRule(ctx context.Context, r *rule.Rule) error {
	return fieldProblem(rulecheck.Validator{}.ValidateRule(ctx, *r))
}
