package alert

import (
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// MetricName is the name of the metric that carries an alert through pipelines.
//
// The metric is a gauge with exactly one data point. The point's attributes are the labels, its start timestamp is
// StartsAt and its timestamp UpdatedAt; its value is 1 while the alert fires, and it has no recorded value once the
// alert is resolved. All else is no part of the identity and travels in the metric's metadata, under the keys below.
const MetricName = "ALERTS"

// Keys of the metadata. Those of optional parts are absent where the part is.
const (
	severityKey     = "alert.severity"      // text, one of the five names
	annotationsKey  = "alert.annotations"   // map of texts
	valueKey        = "alert.value"         // double
	endsAtKey       = "alert.ends_at"       // integer, nanoseconds since 1970
	expiresAtKey    = "alert.expires_at"    // integer, nanoseconds since 1970
	generatorURLKey = "alert.generator_url" // text
	ruleIDKey       = "alert.rule_id"       // text
)

// IsAlert tells an alert of ours from a metric of the same name that came from a Prometheus, which writes its own
// alerts as ALERTS too.
func IsAlert(m pmetric.Metric) bool {
	if m.Name() != MetricName {
		return false
	}
	_, ours := m.Metadata().Get(severityKey)
	return ours
}

// Validate finds what the telemetry form cannot carry, or what contradicts itself. Each error names a field.
func (a *Alert) Validate() error {
	var errs []error
	if a.Name() == "" {
		errs = append(errs, errors.New("labels: must have alertname, and it must not be empty"))
	}
	errs = append(errs, checkTexts("labels", a.Labels), checkTexts("annotations", a.Annotations))
	if _, err := ParseSeverity(string(a.Severity)); err != nil {
		errs = append(errs, err)
	}
	if _, err := ParseStatus(string(a.Status)); err != nil {
		errs = append(errs, err)
	}
	errs = append(errs, checkTime("startsAt", a.StartsAt), checkTime("updatedAt", a.UpdatedAt))
	switch {
	case a.Status == Resolved:
		errs = append(errs, checkTime("endsAt", a.EndsAt))
	case !a.EndsAt.IsZero():
		errs = append(errs, errors.New("endsAt: must not be set while the alert fires"))
	}
	switch {
	case a.ExpiresAt.IsZero():
	case a.Status == Resolved && !a.ExpiresAt.Equal(a.EndsAt):
		errs = append(errs, errors.New("expiresAt: must not be set on a resolved alert, unless it is its end"))
	default:
		errs = append(errs, checkTime("expiresAt", a.ExpiresAt))
	}
	for _, text := range []struct{ field, value string }{{"generatorURL", a.GeneratorURL}, {"ruleID", a.RuleID}} {
		if !utf8.ValidString(text.value) {
			errs = append(errs, fmt.Errorf("%s: must be UTF-8", text.field))
		}
	}
	return errors.Join(errs...)
}

func checkTexts(field string, texts map[string]string) error {
	for name, value := range texts {
		switch {
		case name == "":
			return fmt.Errorf("%s: no name may be empty", field)
		case field == "labels" && name == model.MetricNameLabel:
			return fmt.Errorf("%s: must not have %s, which is always %s", field, model.MetricNameLabel, MetricName)
		case !utf8.ValidString(name) || !utf8.ValidString(value):
			return fmt.Errorf("%s: name and value of %q must be UTF-8", field, name)
		}
	}
	return nil
}

// checkTime holds a time to the range of OTLP's and Go's nanoseconds. 0 means unknown in OTLP.
func checkTime(field string, t time.Time) error {
	if t.Unix() < 0 || t.Unix() >= math.MaxInt64/int64(time.Second) || t.UnixNano() == 0 {
		return fmt.Errorf("%s: must be set and lie between 1970 and 2262, is %s", field, t.UTC().Format(time.RFC3339Nano))
	}
	return nil
}
