// Package rulecheck says whether Prometheus takes an alerting rule.
package rulecheck

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/quantivista/monitoring/internal/rule"
)

// Validator checks rules by Prometheus' own parsers.
type Validator struct{}

var _ rule.Validator = Validator{}

// ValidateRule finds every fault. Those of queries and templates have the position that the parser gives.
func (Validator) ValidateRule(_ context.Context, r rule.Rule) error {
	errs := []error{r.Validate()}
	if r.Query != "" {
		errs = append(errs, checkQuery(r.Query))
	}
	for name, text := range r.Labels {
		errs = append(errs, checkTemplate("labels."+name, rulefmt.Rule{Labels: map[string]string{name: text}}))
	}
	for name, text := range r.Annotations {
		errs = append(errs, checkTemplate("annotations."+name, rulefmt.Rule{Annotations: map[string]string{name: text}}))
	}
	return errors.Join(errs...)
}

func checkQuery(query string) error {
	expr, err := parser.ParseExpr(query)
	var many parser.ParseErrors
	switch {
	case errors.As(err, &many) && len(many) > 0:
		return &rule.FieldError{Field: "query", Message: many[0].Error()}
	case err != nil:
		return &rule.FieldError{Field: "query", Message: err.Error()}
	}
	if t := expr.Type(); t != parser.ValueTypeVector && t != parser.ValueTypeScalar {
		return &rule.FieldError{Field: "query", Message: fmt.Sprintf("must give an instant vector or a scalar, gives a %s", parser.DocumentedType(t))}
	}
	return nil
}

// checkTemplate checks a rule that has one text only. Names are rule.Validate's to check.
func checkTemplate(field string, one rulefmt.Rule) error {
	one.Alert, one.Expr = "rule", "1"
	for _, fault := range one.Validate(rulefmt.RuleNode{}, model.UTF8Validation) {
		return &rule.FieldError{Field: field, Message: "must be text or a template that parses: " + fault.Error()}
	}
	return nil
}
