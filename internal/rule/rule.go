package rule

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/prometheus/common/model"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/state"
)

// Rule raises an alert while a query gives results.
type Rule struct {
	ID          string
	Name        string
	Description string
	// Query is PromQL.
	Query string
	// Duration is how long the query must give a result before the alert fires, as Prometheus writes it: 5m, 1h30m.
	Duration    string
	Labels      map[string]string
	Annotations map[string]string
	Severity    alert.Severity
	Enabled     bool
	CreatedAt   time.Time
	UpdatedAt   time.Time
	// CreatedBy is the name of who made the rule.
	CreatedBy string
	// EvaluationInterval is the time between two evaluations, as Prometheus writes it.
	EvaluationInterval string
	// Version counts the writes of the rule, from 1.
	Version int64
}

// Summary is a rule in a list, with what it does at the moment.
type Summary struct {
	Rule
	FiringAlerts int
	// LastTriggeredAt is when the newest alert of the rule began; zero where it never raised one.
	LastTriggeredAt time.Time
}

// The lengths that the specification's columns have.
const (
	maxName     = 255
	maxDuration = 20
)

// FieldError is what is wrong with one field.
type FieldError = state.FieldError

// Validate finds every fault that does not need the query engine; they are *FieldError, joined.
func (r *Rule) Validate() error {
	var errs []error
	fail := func(field, format string, args ...any) {
		errs = append(errs, &FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
	}
	switch n := utf8.RuneCountInString(r.Name); {
	case n == 0:
		fail("name", "must be set")
	case n > maxName:
		fail("name", "must have at most %d characters, has %d", maxName, n)
	case !utf8.ValidString(r.Name):
		fail("name", "must be UTF-8")
	}
	if r.Query == "" {
		fail("query", "must be a PromQL expression, is empty")
	}
	checkDuration(fail, "duration", r.Duration, 0)
	checkDuration(fail, "evaluationInterval", r.EvaluationInterval, 1)
	if _, err := alert.ParseSeverity(string(r.Severity)); err != nil {
		fail("severity", "must be one of critical, high, medium, low, info, is %q", r.Severity)
	}
	for name := range r.Labels {
		if !model.UTF8Validation.IsValidLabelName(name) || name == model.MetricNameLabel || name == model.AlertNameLabel {
			fail("labels", "must have names of labels other than __name__ and alertname, has %q", name)
		}
	}
	for name := range r.Annotations {
		if !model.UTF8Validation.IsValidLabelName(name) {
			fail("annotations", "must have names that labels could have, has %q", name)
		}
	}
	return errors.Join(errs...)
}

func checkDuration(fail func(string, string, ...any), field, text string, least model.Duration) {
	d, err := model.ParseDuration(text)
	switch {
	case err != nil || len(text) > maxDuration:
		fail(field, "must be a duration such as 30s, 5m or 1h30m, is %q", text)
	case d < least:
		fail(field, "must be longer than 0, is %q", text)
	}
}
