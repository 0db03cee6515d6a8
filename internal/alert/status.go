package alert

import (
	"database/sql/driver"
	"fmt"
)

// Status is where an alert is in its life.
type Status string

// A resolved alert may fire again, as a new one or, soon enough, as the same.
const (
	Firing   Status = "firing"
	Resolved Status = "resolved"
)

// ParseStatus knows exactly the two names.
func ParseStatus(s string) (Status, error) {
	switch st := Status(s); st {
	case Firing, Resolved:
		return st, nil
	default:
		return "", fmt.Errorf("status must be firing or resolved, is %q", s)
	}
}

// Scan reads a database column.
func (s *Status) Scan(src any) (err error) {
	text, err := scanText(src)
	if err == nil {
		*s, err = ParseStatus(text)
	}
	return err
}

// Value writes a database column.
func (s Status) Value() (driver.Value, error) {
	_, err := ParseStatus(string(s))
	return string(s), err
}
