package promtelemetry

import (
	"fmt"
	"maps"
	"slices"

	dto "github.com/prometheus/client_model/go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// familyKey has the type too: a family that changes its type needs other instruments.
type familyKey struct {
	name string
	typ  dto.MetricType
}

// instruments of each family. A family that OpenTelemetry refuses has an entry without instruments, so that it
// is not tried again.
type instruments map[familyKey]instrument

// instrument holds what one family is observed by: value, or count and sum.
type instrument struct {
	value metric.Float64Observable
	count metric.Int64ObservableCounter
	sum   metric.Float64ObservableCounter
}

// describe gives a copy with the new families added, and a fault for each that cannot be.
func (known instruments) describe(meter metric.Meter, families []*dto.MetricFamily) (instruments, []error) {
	all := maps.Clone(known)
	var faults []error
	for _, family := range families {
		if _, ok := all[keyOf(family)]; ok {
			continue
		}
		i, err := newInstrument(meter, family)
		if err != nil {
			faults = append(faults, fmt.Errorf("metric family %q: %w", family.GetName(), err))
		}
		all[keyOf(family)] = i
	}
	return all, faults
}

func newInstrument(meter metric.Meter, family *dto.MetricFamily) (instrument, error) {
	name, help := family.GetName(), metric.WithDescription(family.GetHelp())
	switch family.GetType() {
	case dto.MetricType_COUNTER:
		c, err := meter.Float64ObservableCounter(name, help)
		if err != nil {
			return instrument{}, err
		}
		return instrument{value: c}, nil
	case dto.MetricType_SUMMARY, dto.MetricType_HISTOGRAM, dto.MetricType_GAUGE_HISTOGRAM:
		count, err := meter.Int64ObservableCounter(name+"_count", help)
		if err != nil {
			return instrument{}, err
		}
		sum, err := meter.Float64ObservableCounter(name+"_sum", help)
		if err != nil {
			return instrument{}, err
		}
		return instrument{count: count, sum: sum}, nil
	default: // a gauge, or untyped
		g, err := meter.Float64ObservableGauge(name, help)
		if err != nil {
			return instrument{}, err
		}
		return instrument{value: g}, nil
	}
}

func (known instruments) observables() []metric.Observable {
	all := make([]metric.Observable, 0, len(known))
	for _, i := range known {
		if i.value != nil {
			all = append(all, i.value)
		}
		if i.count != nil {
			all = append(all, i.count, i.sum)
		}
	}
	return all
}

func (i instrument) observe(o metric.Observer, family *dto.MetricFamily) {
	for _, m := range family.GetMetric() {
		attributes := metric.WithAttributeSet(attributeSet(m.GetLabel()))
		switch {
		case i.value != nil:
			o.ObserveFloat64(i.value, value(m), attributes)
		case i.count != nil:
			count, sum := countAndSum(m)
			o.ObserveInt64(i.count, count, attributes)
			o.ObserveFloat64(i.sum, sum, attributes)
		}
	}
}

func attributeSet(pairs []*dto.LabelPair) attribute.Set {
	attributes := make([]attribute.KeyValue, 0, len(pairs))
	for _, pair := range pairs {
		attributes = append(attributes, attribute.String(pair.GetName(), pair.GetValue()))
	}
	return attribute.NewSet(slices.Clip(attributes)...)
}

// value of a metric of which exactly one of these is set.
func value(m *dto.Metric) float64 {
	return m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue()
}

// countAndSum of a summary or a histogram, whichever is set. A native histogram of floats counts in fractions.
func countAndSum(m *dto.Metric) (int64, float64) {
	if s := m.GetSummary(); s != nil {
		return int64(s.GetSampleCount()), s.GetSampleSum()
	}
	h := m.GetHistogram()
	return int64(h.GetSampleCount()) + int64(h.GetSampleCountFloat()), h.GetSampleSum()
}
