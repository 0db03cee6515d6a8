package rulecheck

import (
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/rule"
)

// What is taken is a rule to Prometheus, too.
func FuzzValidateRule(f *testing.F) {
	f.Add("A", "up == 0", "5m", "{{ $value }}")
	f.Add("é\n", "up ==\n )", "1h30m", "{{")
	f.Add("A", "\"\xff\"", "0", "\x00")
	f.Fuzz(func(t *testing.T, name, query, duration, text string) {
		r := rule.Rule{
			Name: name, Query: query, Duration: duration, EvaluationInterval: "15s", Severity: alert.Low,
			Labels: map[string]string{"a": text}, Annotations: map[string]string{"b": text},
		}
		if (Validator{}).ValidateRule(t.Context(), r) != nil {
			return
		}
		wait, err := model.ParseDuration(duration)
		require.NoError(t, err)
		theirs := rulefmt.Rule{Alert: name, Expr: query, For: wait, Labels: r.Labels, Annotations: r.Annotations}
		require.Empty(t, theirs.Validate(rulefmt.RuleNode{}, model.UTF8Validation))
	})
}
