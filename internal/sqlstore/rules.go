package sqlstore

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/rule"
)

// selectRules reads rules with what their view computes.
func selectRules(db bun.IDB, rows any) *bun.SelectQuery {
	return db.NewSelect().Model(rows).Join("JOIN alert_rules_view AS v ON v.id = r.id").
		ColumnExpr("?TableColumns").ColumnExpr("v.firing_alert_count, v.last_triggered_at")
}

// Rule gives one rule.
func (s *Store) Rule(ctx context.Context, id string) (rule.Summary, error) {
	var rows []ruleSummaryRow
	if err := checkID("alert rule", id); err != nil {
		return rule.Summary{}, err
	}
	err := s.read(ctx, func(db bun.IDB) error { return selectRules(db, &rows).Where("r.id = ?", id).Scan(ctx) })
	if err != nil {
		return rule.Summary{}, err
	}
	if len(rows) == 0 {
		return rule.Summary{}, notFound("alert rule", id)
	}
	return rows[0].summary(), nil
}

// Rules gives a page of rules, by name.
func (s *Store) Rules(ctx context.Context, query rule.Query) (rule.List, error) {
	var rows []ruleSummaryRow
	if err := checkFilter(query.Severity, ""); err != nil {
		return rule.List{}, err
	}
	page, err := startPage("rules", query.Page)
	if err != nil {
		return rule.List{}, err
	}
	err = s.read(ctx, func(db bun.IDB) error {
		q := selectRules(db, &rows)
		if query.Enabled != nil {
			q.Where("r.enabled = ?", *query.Enabled)
		}
		if query.Severity != "" {
			q.Where("r.severity = ?", query.Severity)
		}
		return page.byName(q, "r.name", "r.id").Scan(ctx)
	})
	if err != nil {
		return rule.List{}, err
	}
	rows, next := cutBy(page, rows, func(r *ruleSummaryRow) (string, string) { return r.Name, r.ID })
	list := rule.List{Rules: make([]rule.Summary, len(rows)), Next: next}
	for i := range rows {
		list.Rules[i] = rows[i].summary()
	}
	return list, nil
}

// RulesRevision counts the changes of rules.
func (s *Store) RulesRevision(ctx context.Context) (revision int64, err error) {
	err = s.read(ctx, func(db bun.IDB) error {
		return db.NewSelect().Table("alert_rules_revision").Column("revision").Scan(ctx, &revision)
	})
	return revision, err
}

// EnabledRules gives the rules to evaluate. The revision is read first: rules that are newer are loaded once more.
func (s *Store) EnabledRules(ctx context.Context) ([]rule.Rule, int64, error) {
	revision, err := s.RulesRevision(ctx)
	if err != nil {
		return nil, 0, err
	}
	var rows []ruleRow
	err = s.read(ctx, func(db bun.IDB) error {
		return db.NewSelect().Model(&rows).Where("r.enabled").Order("r.name", "r.id").Scan(ctx)
	})
	rules := make([]rule.Rule, len(rows))
	for i := range rows {
		rules[i] = rows[i].rule()
	}
	return rules, revision, err
}

// CreateRule stores a new rule.
func (s *Store) CreateRule(ctx context.Context, r rule.Rule) (rule.Rule, error) {
	if err := checkRule(&r); err != nil {
		return rule.Rule{}, err
	}
	if r.ID == "" {
		r.ID = newID()
	}
	r.Version, r.CreatedAt = 1, at(s.now()).Time
	r.UpdatedAt = r.CreatedAt
	row := toRuleRow(&r)
	err := s.write(ctx, func(ctx context.Context, db bun.Tx) error {
		_, err := db.NewInsert().Model(row).Exec(ctx)
		return err
	})
	return row.rule(), err
}

func checkRule(r *rule.Rule) error {
	if err := r.Validate(); err != nil {
		return invalid(err)
	}
	return nil
}

// UpdateRule stores a changed rule.
func (s *Store) UpdateRule(ctx context.Context, r rule.Rule) (rule.Rule, error) {
	if err := checkRule(&r); err != nil {
		return rule.Rule{}, err
	}
	return s.changeRule(ctx, r.ID, r.Version, func(stored *rule.Rule) {
		r.CreatedAt, r.CreatedBy, r.Version = stored.CreatedAt, stored.CreatedBy, stored.Version
		*stored = r
	})
}

// SetRuleEnabled enables or disables a rule.
func (s *Store) SetRuleEnabled(ctx context.Context, id string, version int64, enabled bool) (rule.Rule, error) {
	return s.changeRule(ctx, id, version, func(stored *rule.Rule) { stored.Enabled = enabled })
}

// DeleteRule removes a rule.
func (s *Store) DeleteRule(ctx context.Context, id string, version int64) error {
	return s.withRule(ctx, id, version, func(ctx context.Context, db bun.Tx, row *ruleRow) error {
		_, err := db.NewDelete().Model(row).WherePK().Exec(ctx)
		return err
	})
}

func (s *Store) changeRule(ctx context.Context, id string, version int64, change func(*rule.Rule)) (changed rule.Rule, err error) {
	err = s.withRule(ctx, id, version, func(ctx context.Context, db bun.Tx, row *ruleRow) error {
		r := row.rule()
		change(&r)
		r.Version, r.UpdatedAt = row.Version+1, s.now()
		updated := toRuleRow(&r)
		changed = updated.rule()
		_, err := db.NewUpdate().Model(updated).WherePK().Exec(ctx)
		return err
	})
	return changed, err
}

// withRule calls do with the stored rule of a version; of any where that is 0.
func (s *Store) withRule(ctx context.Context, id string, version int64, do func(context.Context, bun.Tx, *ruleRow) error) error {
	if err := checkID("alert rule", id); err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, db bun.Tx) error {
		var row ruleRow
		if err := db.NewSelect().Model(&row).Where("r.id = ?", id).Scan(ctx); err != nil {
			return one("alert rule", id, err)
		}
		if version != 0 && version != row.Version {
			return versionError("alert rule", id, version, row.Version)
		}
		return do(ctx, db, &row)
	})
}
