package sqlstore

import (
	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/rule"
)

// ruleRow is a row of alert_rules.
type ruleRow struct {
	bun.BaseModel `bun:"table:alert_rules,alias:r"`

	ID                 string          `bun:"id,pk"`
	Name               string          `bun:"name"`
	Description        string          `bun:"description"`
	Query              string          `bun:"query"`
	Duration           string          `bun:"duration"`
	Labels             jsonMap[string] `bun:"labels"`
	Annotations        jsonMap[string] `bun:"annotations"`
	Severity           alert.Severity  `bun:"severity"`
	Enabled            bool            `bun:"enabled"`
	CreatedAt          instant         `bun:"created_at"`
	UpdatedAt          instant         `bun:"updated_at"`
	CreatedBy          string          `bun:"created_by"`
	CreatedByName      string          `bun:"created_by_name"`
	EvaluationInterval string          `bun:"evaluation_interval"`
	Version            int64           `bun:"version"`
}

// authorSpace is the namespace of the UUIDs of names in created_by, chosen once.
const authorSpace = "5f0dc0f8-7c1e-4a55-8b0a-3b2c35c0a9d1"

func toRuleRow(r *rule.Rule) *ruleRow {
	return &ruleRow{
		ID: r.ID, Name: text(r.Name), Description: text(r.Description), Query: text(r.Query), Duration: r.Duration,
		Labels: texts(r.Labels), Annotations: texts(r.Annotations), Severity: r.Severity, Enabled: r.Enabled,
		CreatedAt: at(r.CreatedAt), UpdatedAt: at(r.UpdatedAt),
		CreatedBy:     uuid.NewSHA1(uuid.MustParse(authorSpace), []byte(r.CreatedBy)).String(),
		CreatedByName: short(r.CreatedBy), EvaluationInterval: r.EvaluationInterval, Version: r.Version,
	}
}

func (r *ruleRow) rule() rule.Rule {
	return rule.Rule{
		ID: r.ID, Name: r.Name, Description: r.Description, Query: r.Query, Duration: r.Duration,
		Labels: r.Labels, Annotations: r.Annotations, Severity: r.Severity, Enabled: r.Enabled,
		CreatedAt: r.CreatedAt.Time, UpdatedAt: r.UpdatedAt.Time, CreatedBy: r.CreatedByName,
		EvaluationInterval: r.EvaluationInterval, Version: r.Version,
	}
}

// ruleSummaryRow is a rule with what alert_rules_view computes.
type ruleSummaryRow struct {
	ruleRow `bun:",extend"`

	FiringAlertCount int     `bun:"firing_alert_count,scanonly"`
	LastTriggeredAt  instant `bun:"last_triggered_at,scanonly"`
}

func (r *ruleSummaryRow) summary() rule.Summary {
	return rule.Summary{Rule: r.rule(), FiringAlerts: r.FiringAlertCount, LastTriggeredAt: r.LastTriggeredAt.Time}
}
