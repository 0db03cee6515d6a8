// Package servicehealth tells the health of services from their metrics alone.
//
// A service is a value of the label job. It is seen through up, which every scrape writes, and through
// target_info, which every OTLP SDK's resource gets: one series a target or resource, so that the cost follows the
// number of targets and not the number of series. Only a service with neither is seen through all its series.
package servicehealth

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/prometheus/promql"
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

// Service is the health of one service.
type Service struct {
	// ID follows from the name: the same on every replica and after a restart.
	ID     string
	Name   string
	Status Status
	// LastCheck is the time of the newest sample of up or target_info; within a minute for a service that is gone.
	LastCheck time.Time
	Details   Details
}

// Summary counts services by status.
type Summary struct {
	// Status is the worst of any service; Healthy where there is none.
	Status                              Status
	Total, Healthy, Degraded, Unhealthy int
}

// ErrUnknown answers for a service that was not seen in the last hour.
var ErrUnknown = errors.New("was not seen in the last hour")

// Assessor tells the health of services. It is safe for concurrent use.
type Assessor struct {
	query Query
	now   func() time.Time
}

// NewAssessor makes an Assessor that asks query as of now.
func NewAssessor(query Query, now func() time.Time) *Assessor {
	return &Assessor{query: query, now: now}
}

// Summary counts all services, without their details.
func (a *Assessor) Summary(ctx context.Context) (Summary, error) {
	services, err := a.assess(ctx, a.now())
	if err != nil {
		return Summary{}, err
	}
	s := Summary{Status: Healthy, Total: len(services)}
	for _, service := range services {
		switch service.Status {
		case Healthy:
			s.Healthy++
		case Degraded:
			s.Degraded++
		case Unhealthy:
			s.Unhealthy++
		}
	}
	switch {
	case s.Unhealthy > 0:
		s.Status = Unhealthy
	case s.Degraded > 0:
		s.Status = Degraded
	}
	return s, nil
}

// Services gives every service with its details, by name.
func (a *Assessor) Services(ctx context.Context) ([]Service, error) {
	at := a.now()
	services, err := a.assess(ctx, at)
	if err != nil {
		return nil, err
	}
	details, err := a.describe(ctx, "", at)
	if err != nil {
		return nil, err
	}
	for i := range services {
		services[i].Details = details[services[i].Name]
	}
	return services, nil
}

// Service gives one service by its ID or name, or ErrUnknown.
func (a *Assessor) Service(ctx context.Context, idOrName string) (Service, error) {
	at := a.now()
	services, err := a.assess(ctx, at)
	if err != nil {
		return Service{}, err
	}
	i := slices.IndexFunc(services, func(s Service) bool { return strings.EqualFold(s.ID, idOrName) })
	if i < 0 {
		i = slices.IndexFunc(services, func(s Service) bool { return s.Name == idOrName })
	}
	if i < 0 {
		return Service{}, ErrUnknown
	}
	details, err := a.describe(ctx, services[i].Name, at)
	if err != nil {
		return Service{}, err
	}
	services[i].Details = details[services[i].Name]
	return services[i], nil
}

// namespace of the IDs, chosen once.
const namespace = "6f1d8f0e-3a52-4c0b-9a63-0d5f6a1c7be4"

// ID gives the UUID, version 5, of a service's name.
func ID(name string) string {
	return uuid.NewSHA1(uuid.MustParse(namespace), []byte(name)).String()
}
