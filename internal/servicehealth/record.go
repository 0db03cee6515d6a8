package servicehealth

import (
	"context"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
)

// Record is what is stored of a service's health.
type Record struct {
	ID        string
	Name      string
	Status    Status
	Reasons   []Reason
	LastCheck time.Time
	// LastSeen is zero where no sample ever told of the service.
	LastSeen time.Time
	Uptime   time.Duration
	// ResponseTime in milliseconds; nil where unknown.
	ResponseTime *float64
	// Metrics by their name in the API.
	Metrics map[string]float64
	// ActiveAlerts and CriticalAlerts count the firing alerts of the service. They are read, never written.
	ActiveAlerts, CriticalAlerts int
}

// Records keeps the last known health of services, by ID.
type Records interface {
	// SaveHealth stores records; an older one, by LastCheck, does not replace a newer one, unless that is of the future.
	SaveHealth(ctx context.Context, records []Record) error
	// Health gives all records, by name.
	Health(ctx context.Context) ([]Record, error)
	// DropHealth removes the records of these IDs that nobody has saved again behind a time.
	DropHealth(ctx context.Context, ids []string, behind time.Time) error
}

// Alerts gives the alerts that fire, by service. An alert that names no service is none of it.
type Alerts interface {
	// FiringByService gives so many alerts of each service at most, the worst and then the oldest first: of one
	// service, or of all where service is empty.
	FiringByService(ctx context.Context, service string, limit int) (map[string]Firing, error)
}

// Firing are the alerts of one service.
type Firing struct {
	// Total counts all.
	Total  int
	Alerts []alert.Record
}

// record makes a record of a service that was judged.
func (s *Service) record() Record {
	r := Record{
		ID: s.ID, Name: s.Name, Status: s.Status, Reasons: s.Reasons, LastCheck: s.LastCheck, LastSeen: s.LastSeen,
		Uptime: s.Details.Uptime, Metrics: s.Details.Metrics,
	}
	if s.Details.ResponseTime > 0 {
		r.ResponseTime = &s.Details.ResponseTime
	}
	return r
}

// service makes a service of a record.
func (r *Record) service() Service {
	s := Service{
		ID: r.ID, Name: r.Name, Status: r.Status, Reasons: r.Reasons, LastCheck: r.LastCheck, LastSeen: r.LastSeen,
		Details: Details{Uptime: r.Uptime, Metrics: r.Metrics}, AlertCount: r.ActiveAlerts,
	}
	if r.ResponseTime != nil {
		s.Details.ResponseTime = *r.ResponseTime
	}
	return s
}
