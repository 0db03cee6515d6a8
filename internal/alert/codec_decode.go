package alert

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Decode gives the alerts among the metrics, in their order, wherever in the resources and scopes they are. Metrics
// of other names are passed over. A malformed alert is left out; the error names each, by its place and field. Times
// are UTC; maps without entries are nil.
func Decode(md pmetric.Metrics) ([]Alert, error) {
	var alerts []Alert
	var errs []error
	for r, rm := range md.ResourceMetrics().All() {
		for s, sm := range rm.ScopeMetrics().All() {
			for i, m := range sm.Metrics().All() {
				if m.Name() != MetricName {
					continue
				}
				a, err := decode(m)
				if err != nil {
					errs = append(errs, fmt.Errorf("resource %d, scope %d, metric %d (%s): %w", r, s, i, MetricName, err))
					continue
				}
				alerts = append(alerts, a)
			}
		}
	}
	return alerts, errors.Join(errs...)
}

func decode(m pmetric.Metric) (Alert, error) {
	if m.Type() != pmetric.MetricTypeGauge || m.Gauge().DataPoints().Len() != 1 {
		return Alert{}, errors.New("data points: must be a gauge with exactly one")
	}
	point := m.Gauge().DataPoints().At(0)
	labels, err := texts("labels", point.Attributes())
	if err != nil {
		return Alert{}, err
	}
	a := Alert{
		Labels:    labels,
		Status:    Firing,
		StartsAt:  toTime(point.StartTimestamp()),
		UpdatedAt: toTime(point.Timestamp()),
	}
	switch {
	case point.Flags().NoRecordedValue():
		a.Status = Resolved
	case point.ValueType() != pmetric.NumberDataPointValueTypeDouble || point.DoubleValue() != 1:
		return Alert{}, errors.New("value: must be 1 while the alert fires, and not recorded once it is resolved")
	}
	if err := decodeMetadata(&a, m.Metadata()); err != nil {
		return Alert{}, err
	}
	if err := a.Validate(); err != nil {
		return Alert{}, err
	}
	return a, nil
}

var metadataTypes = map[string]pcommon.ValueType{
	severityKey:     pcommon.ValueTypeStr,
	generatorURLKey: pcommon.ValueTypeStr,
	ruleIDKey:       pcommon.ValueTypeStr,
	annotationsKey:  pcommon.ValueTypeMap,
	valueKey:        pcommon.ValueTypeDouble,
	endsAtKey:       pcommon.ValueTypeInt,
	expiresAtKey:    pcommon.ValueTypeInt,
}

// decodeMetadata passes over keys that it does not know: others may add theirs.
func decodeMetadata(a *Alert, rest pcommon.Map) error {
	for key, v := range rest.All() {
		want, known := metadataTypes[key]
		if !known {
			continue
		}
		if v.Type() != want {
			return fmt.Errorf("metadata %q: must be of type %s, is %s", key, want, v.Type())
		}
		var err error
		switch key {
		case severityKey:
			a.Severity = Severity(v.Str())
		case generatorURLKey:
			a.GeneratorURL = v.Str()
		case ruleIDKey:
			a.RuleID = v.Str()
		case annotationsKey:
			a.Annotations, err = texts("annotations", v.Map())
		case valueKey:
			a.Value = new(v.Double())
		case endsAtKey:
			a.EndsAt = time.Unix(0, v.Int()).UTC()
		case expiresAtKey:
			a.ExpiresAt = time.Unix(0, v.Int()).UTC()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// texts reads a map of texts in which no name comes twice.
func texts(field string, m pcommon.Map) (map[string]string, error) {
	if m.Len() == 0 {
		return nil, nil
	}
	all := make(map[string]string, m.Len())
	for name, v := range m.All() {
		if v.Type() != pcommon.ValueTypeStr {
			return nil, fmt.Errorf("%s: %q must be of type Str, is %s", field, name, v.Type())
		}
		if _, twice := all[name]; twice {
			return nil, fmt.Errorf("%s: %q comes twice", field, name)
		}
		all[name] = v.Str()
	}
	return all, nil
}

// toTime keeps 0 as the zero time: unknown.
func toTime(t pcommon.Timestamp) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return t.AsTime()
}
