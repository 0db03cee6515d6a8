package alertreceiver

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/problem"
)

const (
	// maxAhead is how far in the future an alert may begin, for clients whose clocks are ahead.
	maxAhead = 10 * time.Minute
	// descriptionAnnotation and authorAnnotation keep what has no place of its own in an alert.
	descriptionAnnotation, authorAnnotation = "description", "created_by"
)

// definer collects the faults of one definition.
type definer struct{ faults []problem.FieldError }

func (d *definer) fault(field, format string, args ...any) {
	d.faults = append(d.faults, problem.FieldError{Field: field, Detail: fmt.Sprintf(format, args...)})
}

// define makes an alert that fires now, or tells all faults of its definition.
func define(definition *api.AlertDefinition, by string, now time.Time) (alert.Alert, []problem.FieldError) {
	d := &definer{}
	severity, err := alert.ParseSeverity(string(definition.Severity))
	if err != nil {
		d.fault("severity", "%s", err)
	}
	a := alert.Alert{
		Labels: d.labels(definition), Annotations: d.annotations(definition, by),
		Severity: severity, Status: alert.Firing, StartsAt: now.UTC(), UpdatedAt: now.UTC(),
	}
	if definition.GeneratorURL != nil {
		a.GeneratorURL = *definition.GeneratorURL
	}
	if at := definition.StartsAt; at != nil {
		a.StartsAt = at.UTC()
		if at.After(now.Add(maxAhead)) {
			d.fault("startsAt", "must not be more than %s in the future, is %s", maxAhead, at.Format(time.RFC3339))
		}
	}
	if at := definition.ExpiresAt; at != nil {
		a.ExpiresAt = at.UTC()
		if !at.After(now) {
			d.fault("expiresAt", "must be in the future, is %s", at.Format(time.RFC3339))
		}
	}
	if len(d.faults) == 0 {
		if err := a.Validate(); err != nil { // what is left are times beyond all reason
			d.fault("body", "%s", err)
		}
	}
	return a, d.faults
}

// labels adds name and severity. A label with an empty value is no label, as in Prometheus.
func (d *definer) labels(definition *api.AlertDefinition) map[string]string {
	labels := map[string]string{}
	if definition.Labels != nil {
		labels = nonEmpty(*definition.Labels)
	}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		switch {
		case name == model.MetricNameLabel:
			d.fault("labels."+name, "must be absent: the name of an alert is its alertname")
		case !model.UTF8Validation.IsValidLabelName(name):
			d.fault("labels."+name, "must have a name that is not empty")
		case name == model.AlertNameLabel && labels[name] != definition.Name:
			d.fault("labels."+name, "must be the name of the alert, or absent")
		}
	}
	if definition.Name == "" {
		d.fault("name", "must not be empty")
	}
	labels[model.AlertNameLabel] = definition.Name
	if labels[alert.SeverityLabel] == "" {
		labels[alert.SeverityLabel] = string(definition.Severity)
	}
	return labels
}

// annotations adds the description, and who defined the alert.
func (d *definer) annotations(definition *api.AlertDefinition, by string) map[string]string {
	annotations := map[string]string{}
	if definition.Annotations != nil {
		annotations = nonEmpty(*definition.Annotations)
	}
	if _, nameless := annotations[""]; nameless {
		d.fault("annotations.", "must have a name that is not empty")
	}
	if definition.Description != nil && *definition.Description != "" {
		annotations[descriptionAnnotation] = *definition.Description
	}
	annotations[authorAnnotation] = by
	return annotations
}

func nonEmpty(given map[string]string) map[string]string {
	kept := maps.Clone(given)
	maps.DeleteFunc(kept, func(_, value string) bool { return value == "" })
	return kept
}
