package alert

import (
	"database/sql/driver"
	"fmt"
	"slices"
)

// Severity says how urgent an alert or an incident is.
type Severity string

// From worst to least. An incident is never Info.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
	Info     Severity = "info"
)

var severities = []Severity{Critical, High, Medium, Low, Info}

// Severities gives all of them, from worst to least.
func Severities() []Severity { return slices.Clone(severities) }

// ParseSeverity knows exactly the five names.
func ParseSeverity(s string) (Severity, error) {
	if slices.Contains(severities, Severity(s)) {
		return Severity(s), nil
	}
	return "", fmt.Errorf("severity must be one of critical, high, medium, low, info, is %q", s)
}

// Worse says whether s is more urgent than t.
func (s Severity) Worse(t Severity) bool {
	return slices.Index(severities, s) < slices.Index(severities, t)
}

// Scan reads a database column.
func (s *Severity) Scan(src any) (err error) {
	text, err := scanText(src)
	if err == nil {
		*s, err = ParseSeverity(text)
	}
	return err
}

// Value writes a database column.
func (s Severity) Value() (driver.Value, error) {
	_, err := ParseSeverity(string(s))
	return string(s), err
}

// scanText reads what drivers give for a text column.
func scanText(src any) (string, error) {
	switch v := src.(type) {
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	default:
		return "", fmt.Errorf("cannot read %T as text", src)
	}
}
