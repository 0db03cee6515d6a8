package incident

import (
	"time"

	"github.com/quantivista/monitoring/internal/alert"
)

// Incident is something that people work on until it is over.
type Incident struct {
	ID          string
	Title       string
	Description string
	// Severity is never alert.Info.
	Severity  alert.Severity
	Status    Status
	CreatedAt time.Time
	UpdatedAt time.Time
	// ResolvedAt is zero unless the incident is resolved.
	ResolvedAt time.Time
	// MitigatedAt is when the incident last became mitigated; zero where it never was.
	MitigatedAt time.Time
	CreatedBy   string
	AssignedTo  string
	// AffectedServices are names, sorted, each once.
	AffectedServices []string
	// CorrelationKey is what the alerts of the incident share. At most one unresolved incident has a given key.
	// Empty for an incident that takes no alerts by itself.
	CorrelationKey string
	// MergedInto is the incident that this one became part of; empty for none. It stays resolved.
	MergedInto string
	// Version counts the writes of the incident, from 1.
	Version int64
}

// Summary is an incident in a list.
type Summary struct {
	Incident
	// Duration until it was resolved, or until now.
	Duration     time.Duration
	AlertCount   int
	EventCount   int
	LastUpdateAt time.Time
}
