package lokiexporter

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// LabelConfig is one label of the streams.
type LabelConfig struct {
	// Name of the label in Loki.
	Name string `mapstructure:"name"`
	// From lists sources; the first that is not empty is taken.
	From []Source `mapstructure:"from"`
	// Default is taken where all are empty. Empty leaves the label out.
	Default string `mapstructure:"default"`
}

// Source is where a value comes from: "resource." or "record." and the name of an attribute, or "severity".
type Source string

const (
	resourcePrefix = "resource."
	recordPrefix   = "record."
	severitySource = Source("severity")
)

// unknownService is what OpenTelemetry and Loki call a service without a name.
const unknownService = "unknown_service"

func defaultLabels() []LabelConfig {
	return []LabelConfig{
		{Name: "service_name", From: []Source{"resource.service.name", "record.service_name"}, Default: unknownService},
		{Name: "service_namespace", From: []Source{"resource.service.namespace", "record.service_namespace"}},
		{Name: "deployment_environment", From: []Source{
			"resource.deployment.environment.name", "resource.deployment.environment", "record.deployment_environment",
		}},
		{Name: "k8s_namespace_name", From: []Source{"resource.k8s.namespace.name", "record.k8s_namespace_name"}},
		{Name: "severity", From: []Source{severitySource}},
	}
}

func (s Source) validate() error {
	resource, ofResource := strings.CutPrefix(string(s), resourcePrefix)
	record, ofRecord := strings.CutPrefix(string(s), recordPrefix)
	if ofResource && resource != "" || ofRecord && record != "" || s == severitySource {
		return nil
	}
	return fmt.Errorf(`must be %s or %s and the name of an attribute, or %s, is %q`, resourcePrefix, recordPrefix, severitySource, string(s))
}

// labelName is what Loki takes. Names with two underscores in front are its own.
var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

func validateLabels(labels []LabelConfig) error {
	var errs []error
	seen := map[string]bool{}
	for i, l := range labels {
		switch {
		case !labelName.MatchString(l.Name) || strings.HasPrefix(l.Name, "__"):
			errs = append(errs, fmt.Errorf(
				`"labels::%d::name" must be letters, digits and underscores, such as service_name, is %q`, i, l.Name))
		case seen[l.Name]:
			errs = append(errs, fmt.Errorf(`"labels::%d::name" %q is there already`, i, l.Name))
		}
		seen[l.Name] = true
		if len(l.From) == 0 && l.Default == "" {
			errs = append(errs, fmt.Errorf(`"labels::%d" must have "from", such as [resource.service.name], or "default"`, i))
		}
		for j, source := range l.From {
			if err := source.validate(); err != nil {
				errs = append(errs, fmt.Errorf(`"labels::%d::from::%d" %w`, i, j, err))
			}
		}
	}
	return errors.Join(errs...)
}

// picker gives one value of each record, from the first of its sources that is not empty. The sources of the
// resource are read once for all its records.
type picker struct {
	sources  []pick
	fallback string

	ofResource map[string]string // by attribute, of the current resource
}

// pick is a source, parsed. attribute is empty for the severity.
type pick struct {
	attribute string
	resource  bool
}

func newPicker(from []Source, fallback string) *picker {
	p := &picker{fallback: fallback, ofResource: map[string]string{}}
	for _, source := range from {
		if name, ok := strings.CutPrefix(string(source), resourcePrefix); ok {
			p.sources = append(p.sources, pick{attribute: name, resource: true})
			continue
		}
		name, _ := strings.CutPrefix(string(source), recordPrefix)
		if source == severitySource {
			name = ""
		}
		p.sources = append(p.sources, pick{attribute: name})
	}
	return p
}

func (p *picker) enter(resource pcommon.Resource) {
	clear(p.ofResource)
	for _, source := range p.sources {
		if !source.resource {
			continue
		}
		if v, ok := resource.Attributes().Get(source.attribute); ok {
			p.ofResource[source.attribute] = v.AsString()
		}
	}
}

// value also tells the attribute that it took, "" for none.
func (p *picker) value(record plog.LogRecord) (value string, from pick) {
	for _, source := range p.sources {
		switch {
		case source.resource:
			value = p.ofResource[source.attribute]
		case source.attribute == "":
			value = severity(record)
		default:
			if v, ok := record.Attributes().Get(source.attribute); ok {
				value = v.AsString()
			}
		}
		if value != "" {
			return value, source
		}
	}
	return p.fallback, pick{}
}
