package sqlstore

import (
	"fmt"
	"unicode/utf8"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/state"
)

// The checks of this file come before any statement: bun writes the error of a value that cannot be stored, with the
// value in it, into the statement.

// checkFilter checks enumerations by which a list is filtered; empty ones filter nothing.
func checkFilter(severity alert.Severity, status alert.Status, statuses ...incident.Status) error {
	if severity != "" {
		if err := checkSeverity(severity); err != nil {
			return err
		}
	}
	if status != "" {
		if _, err := alert.ParseStatus(string(status)); err != nil {
			return invalid(err)
		}
	}
	for _, s := range statuses {
		if _, err := incident.ParseStatus(string(s)); err != nil {
			return invalid(err)
		}
	}
	return nil
}

func checkSeverity(s alert.Severity) error {
	if _, err := alert.ParseSeverity(string(s)); err != nil {
		return invalid(err)
	}
	return nil
}

// checkIncident checks what is to be stored.
func checkIncident(in *incident.Incident) error {
	if in.Severity == alert.Info {
		return fmt.Errorf("severity of an incident must be one of critical, high, medium, low, is info: it %w", state.ErrInvalid)
	}
	if n := utf8.RuneCountInString(in.Title); n == 0 || n > nameLength {
		return fmt.Errorf("title must have between 1 and %d characters, has %d: it %w", nameLength, n, state.ErrInvalid)
	}
	if err := checkSeverity(in.Severity); err != nil {
		return err
	}
	return checkFilter("", "", in.Status)
}

func invalid(err error) error { return fmt.Errorf("%w: it %w", err, state.ErrInvalid) }
