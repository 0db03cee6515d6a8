package alert

import (
	"errors"
	"fmt"
	"strings"
)

// SeverityLabel of an alert of Prometheus is mapped to its severity, and left as it is.
const SeverityLabel = "severity"

// DefaultSeverityMap gives the severities of what people write into the label.
func DefaultSeverityMap() map[string]string {
	return map[string]string{
		"critical": "critical", "page": "critical", "high": "high", "error": "high", "medium": "medium", "warning": "medium",
		"low": "low", "info": "info", "none": "info",
	}
}

// DefaultSeverity is that of alerts without the label.
const DefaultSeverity = Medium

// SeverityConfig is how components configure the severity of alerts that have only labels.
type SeverityConfig struct {
	// SeverityMap gives the severity of an alert by its label "severity", whatever its case.
	SeverityMap map[string]string `mapstructure:"severity_map"`
	// DefaultSeverity is that of alerts without the label, or with one that is not in the map.
	DefaultSeverity string `mapstructure:"default_severity"`
}

// NewSeverityConfig gives the defaults.
func NewSeverityConfig() SeverityConfig {
	return SeverityConfig{SeverityMap: DefaultSeverityMap(), DefaultSeverity: string(DefaultSeverity)}
}

// Validate names every fault by its key.
func (c *SeverityConfig) Validate() error {
	var errs []error
	for label, severity := range c.SeverityMap {
		if _, err := ParseSeverity(severity); err != nil {
			errs = append(errs, fmt.Errorf(`"severity_map::%s": %w`, label, err))
		}
	}
	if _, err := ParseSeverity(c.DefaultSeverity); err != nil {
		errs = append(errs, fmt.Errorf(`"default_severity": %w`, err))
	}
	return errors.Join(errs...)
}

// SeverityMap tells severities from labels.
type SeverityMap struct {
	known     map[string]Severity // by the label in lower case
	otherwise Severity
}

// Map gives what a valid configuration says.
func (c *SeverityConfig) Map() SeverityMap {
	m := SeverityMap{known: make(map[string]Severity, len(c.SeverityMap)), otherwise: Severity(c.DefaultSeverity)}
	for label, severity := range c.SeverityMap {
		m.known[strings.ToLower(label)] = Severity(severity)
	}
	return m
}

// Of gives the severity of an alert with these labels.
func (m SeverityMap) Of(labels map[string]string) Severity {
	if severity, known := m.known[strings.ToLower(labels[SeverityLabel])]; known {
		return severity
	}
	return m.otherwise
}
