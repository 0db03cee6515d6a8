// Package servicehealth tells the health of services, and why.
//
// A service is a name. What is known of it comes from its metrics, where the name is the label job: up, which every
// scrape writes, and target_info, which every OTLP SDK's resource gets: one series a target or resource, so that the
// cost follows the number of targets and not the number of series; only a service with neither is seen through all its
// series. Probes, checks in PromQL, and alerts that fire add to that. Each is a Reason, and the worst one is the status.
//
// An Assessor judges at once, from metrics alone. A Monitor judges again and again, with alerts, and keeps what it
// finds in a database.
package servicehealth

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/prometheus/promql"

	"github.com/quantivista/monitoring/internal/alert"
)

// Query evaluates PromQL at one time; the expressions of this package all give vectors.
type Query func(ctx context.Context, expr string, at time.Time) (promql.Vector, error)

// Status of a service, or of all of them.
type Status string

// From best to worst.
const (
	Healthy   Status = "healthy"
	Degraded  Status = "degraded"
	Unhealthy Status = "unhealthy"
)

// worse says whether s is worse than t.
func (s Status) worse(t Status) bool { return s.rank() > t.rank() }

func (s Status) rank() int {
	switch s {
	case Unhealthy:
		return 2
	case Degraded:
		return 1
	default:
		return 0
	}
}

// Service is the health of one service.
type Service struct {
	// ID follows from the name: the same on every replica and after a restart.
	ID     string
	Name   string
	Status Status
	// Reasons say why, the worst first; at most maxReasons.
	Reasons []Reason
	// LastCheck is when the service was judged.
	LastCheck time.Time
	// LastSeen is the time of the newest sample that tells of the service; zero where it is known from alerts alone.
	LastSeen time.Time
	Details  Details
	// ActiveAlerts are those that fire, the worst first; only so many as were asked for. AlertCount counts all.
	// Both are read, never judged anew; nil where no database told.
	ActiveAlerts []alert.Record
	AlertCount   int
}

// Summary counts services by status.
type Summary struct {
	// Status is the worst of any service; Healthy where there is none.
	Status                              Status
	Total, Healthy, Degraded, Unhealthy int
}

// summarize counts.
func summarize(services []Service) Summary {
	s := Summary{Status: Healthy, Total: len(services)}
	for i := range services {
		if services[i].Status.worse(s.Status) {
			s.Status = services[i].Status
		}
		switch services[i].Status {
		case Healthy:
			s.Healthy++
		case Degraded:
			s.Degraded++
		case Unhealthy:
			s.Unhealthy++
		}
	}
	return s
}

// ErrUnknown answers for a service that is not known.
var ErrUnknown = errors.New("is no service that is known")

// Reader tells the health of services.
type Reader interface {
	// Summary counts all services. Its error comes with what is known all the same.
	Summary(ctx context.Context) (Summary, error)
	// Services gives every service, by name.
	Services(ctx context.Context) ([]Service, error)
	// Service gives one service by its ID or name, or ErrUnknown.
	Service(ctx context.Context, idOrName string) (Service, error)
}

// namespace of the IDs, chosen once.
const namespace = "6f1d8f0e-3a52-4c0b-9a63-0d5f6a1c7be4"

// ID gives the UUID, version 5, of a service's name.
func ID(name string) string {
	return uuid.NewSHA1(uuid.MustParse(namespace), []byte(name)).String()
}
