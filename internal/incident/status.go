package incident

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
)

// Status is where an incident is in its life.
type Status string

// In the order of an incident's life.
const (
	Open          Status = "open"
	Investigating Status = "investigating"
	Mitigated     Status = "mitigated"
	Resolved      Status = "resolved"
)

// transitions is the one table of what may follow what; the database's trigger says the same, and a test compares
// them. Work that has begun does not un-begin: investigating never goes back to open. A mitigated incident whose
// cause comes back is open again, or is investigated further. A resolved one can only be reopened; for how long,
// the service decides that knows the reopen window.
var transitions = map[Status][]Status{
	Open:          {Investigating, Mitigated, Resolved},
	Investigating: {Mitigated, Resolved},
	Mitigated:     {Open, Investigating, Resolved},
	Resolved:      {Open},
}

// Statuses gives all of them, in the order of an incident's life.
func Statuses() []Status { return []Status{Open, Investigating, Mitigated, Resolved} }

// ParseStatus knows exactly the four names.
func ParseStatus(s string) (Status, error) {
	if _, ok := transitions[Status(s)]; ok {
		return Status(s), nil
	}
	return "", fmt.Errorf("status must be one of open, investigating, mitigated, resolved, is %q", s)
}

// Next gives the statuses that may follow.
func (s Status) Next() []Status { return slices.Clone(transitions[s]) }

// Check answers a TransitionError unless to is s itself or may follow it.
func (s Status) Check(to Status) error {
	if s == to || slices.Contains(transitions[s], to) {
		return nil
	}
	return &TransitionError{From: s, To: to}
}

// TransitionError answers an attempt to change an incident's status in a way that its life does not know.
type TransitionError struct{ From, To Status }

// Error names the legal transitions.
func (e *TransitionError) Error() string {
	next := make([]string, 0, len(transitions[e.From]))
	for _, s := range transitions[e.From] {
		next = append(next, string(s))
	}
	return fmt.Sprintf("an incident cannot go from %s to %s, only to %s", e.From, e.To, strings.Join(next, ", "))
}

// Legal gives what could follow in place of To.
func (e *TransitionError) Legal() []Status { return e.From.Next() }

// Scan reads a database column.
func (s *Status) Scan(src any) (err error) {
	switch v := src.(type) {
	case string:
		*s, err = ParseStatus(v)
	case []byte:
		*s, err = ParseStatus(string(v))
	default:
		err = fmt.Errorf("cannot read %T as a status", src)
	}
	return err
}

// Value writes a database column.
func (s Status) Value() (driver.Value, error) {
	_, err := ParseStatus(string(s))
	return string(s), err
}
