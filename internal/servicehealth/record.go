package servicehealth

import (
	"context"
	"time"
)

// Record is what is stored of a service's health.
type Record struct {
	ID        string
	Name      string
	Status    Status
	LastCheck time.Time
	Uptime    time.Duration
	// ResponseTime in milliseconds; nil where unknown.
	ResponseTime *float64
	// Metrics by their name in the API.
	Metrics map[string]float64
	// ActiveAlerts and CriticalAlerts count the firing alerts of the service. They are read, never written.
	ActiveAlerts, CriticalAlerts int
}

// Records keeps the last known health of services, by ID.
type Records interface {
	// SaveHealth stores records; an older one, by LastCheck, does not replace a newer one.
	SaveHealth(ctx context.Context, records []Record) error
	// Health gives all records, by name.
	Health(ctx context.Context) ([]Record, error)
}
