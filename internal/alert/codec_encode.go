package alert

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Encode gives alerts as metrics, in their order, under one scope of this name. An alert that contradicts itself, or
// that telemetry cannot carry, is left out; the error names each, by fingerprint and field.
func Encode(scope string, alerts []Alert) (pmetric.Metrics, error) {
	md := pmetric.NewMetrics()
	sm := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty()
	sm.Scope().SetName(scope)
	sm.Metrics().EnsureCapacity(len(alerts))
	var errs []error
	for i := range alerts {
		a := &alerts[i]
		if err := a.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("alert %q (%s): %w", a.Name(), a.Fingerprint(), err))
			continue
		}
		encode(a, sm.Metrics().AppendEmpty())
	}
	return md, errors.Join(errs...)
}

func encode(a *Alert, m pmetric.Metric) {
	m.SetName(MetricName)
	point := m.SetEmptyGauge().DataPoints().AppendEmpty()
	putTexts(point.Attributes(), a.Labels)
	point.SetStartTimestamp(pcommon.NewTimestampFromTime(a.StartsAt))
	point.SetTimestamp(pcommon.NewTimestampFromTime(a.UpdatedAt))
	if a.Status == Resolved {
		point.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
	} else {
		point.SetDoubleValue(1)
	}

	rest := m.Metadata()
	rest.PutStr(severityKey, string(a.Severity))
	if len(a.Annotations) > 0 {
		putTexts(rest.PutEmptyMap(annotationsKey), a.Annotations)
	}
	if a.Value != nil {
		rest.PutDouble(valueKey, *a.Value)
	}
	if !a.EndsAt.IsZero() {
		rest.PutInt(endsAtKey, a.EndsAt.UnixNano())
	}
	if !a.ExpiresAt.IsZero() {
		rest.PutInt(expiresAtKey, a.ExpiresAt.UnixNano())
	}
	if a.GeneratorURL != "" {
		rest.PutStr(generatorURLKey, a.GeneratorURL)
	}
	if a.RuleID != "" {
		rest.PutStr(ruleIDKey, a.RuleID)
	}
}

func putTexts(m pcommon.Map, texts map[string]string) {
	m.EnsureCapacity(len(texts))
	for name, value := range texts {
		m.PutStr(name, value)
	}
}
