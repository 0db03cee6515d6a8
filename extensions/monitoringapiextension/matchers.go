package monitoringapiextension

import (
	"errors"
	"fmt"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/quantivista/monitoring/internal/alert"
)

// parseMatchers reads label matchers as they are within the braces of a PromQL selector; the braces are optional.
func parseMatchers(filter string) ([]alert.Matcher, error) {
	selector := strings.TrimSpace(filter)
	if !strings.HasPrefix(selector, "{") {
		selector = "{" + selector + "}"
	}
	parsed, err := parser.ParseMetricSelector(selector)
	if err != nil {
		var syntax parser.ParseErrors
		if errors.As(err, &syntax) && len(syntax) > 0 {
			err = syntax[0].Err // The position would be one character off.
		}
		return nil, fmt.Errorf("%q must be matchers such as service=\"a\",severity=~\"high|critical\": %w", filter, err)
	}
	matchers := make([]alert.Matcher, len(parsed))
	for i, m := range parsed {
		if m.Name == model.MetricNameLabel {
			return nil, fmt.Errorf("%q must not have the name of a metric: the name of an alert is its label alertname", filter)
		}
		matchers[i] = alert.Matcher{Name: m.Name, Op: alert.MatchOp(m.Type.String()), Value: m.Value}
	}
	return matchers, nil
}

// parseFilters reads the matchers of several filters: all must match.
func parseFilters(filters []string) (all []alert.Matcher, err error) {
	for _, filter := range filters {
		matchers, err := parseMatchers(filter)
		if err != nil {
			return nil, err
		}
		all = append(all, matchers...)
	}
	return all, nil
}
