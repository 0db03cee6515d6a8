package monitoringapiextension

import (
	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/rule"
)

// defaultEvaluationInterval lets a rule fire within 15 seconds of its duration.
const defaultEvaluationInterval = "5s"

// fromAlertRule gives what a request makes of a rule. What the server gives is the known rule's, and so is what may be
// left out.
func fromAlertRule(body *api.AlertRule, known *rule.Rule) rule.Rule {
	wanted := rule.Rule{
		ID: known.ID, Name: body.Name, Description: deref(body.Description), Query: body.Query, Duration: body.Duration,
		Labels: deref(body.Labels), Annotations: deref(body.Annotations), Severity: alert.Severity(body.Severity),
		Enabled: known.Enabled, CreatedAt: known.CreatedAt, CreatedBy: known.CreatedBy,
		EvaluationInterval: known.EvaluationInterval, Version: known.Version,
	}
	if body.Enabled != nil {
		wanted.Enabled = *body.Enabled
	}
	if body.EvaluationInterval != nil {
		wanted.EvaluationInterval = *body.EvaluationInterval
	}
	return wanted
}

func toAlertRule(r *rule.Summary) api.AlertRule {
	answer := api.AlertRule{
		ID: new(r.ID), Name: r.Name, Description: given(r.Description), Query: r.Query, Duration: r.Duration,
		Severity: api.AlertSeverity(r.Severity), Enabled: new(r.Enabled), EvaluationInterval: new(r.EvaluationInterval),
		CreatedAt: new(stored(r.CreatedAt)), UpdatedAt: new(stored(r.UpdatedAt)), CreatedBy: new(r.CreatedBy),
		FiringAlerts: new(r.FiringAlerts), LastTriggeredAt: given(stored(r.LastTriggeredAt)),
	}
	if len(r.Labels) > 0 {
		answer.Labels = &r.Labels
	}
	if len(r.Annotations) > 0 {
		answer.Annotations = &r.Annotations
	}
	return answer
}
