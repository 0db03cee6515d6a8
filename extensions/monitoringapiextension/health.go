package monitoringapiextension

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/metricstore"
	"github.com/quantivista/monitoring/internal/problem"
	"github.com/quantivista/monitoring/internal/servicehealth"
)

// healthTimeout is how long the store may take to tell the health. One that takes longer is not healthy.
const healthTimeout = 10 * time.Second

// vectorQuery asks a store as servicehealth wants it.
func vectorQuery(store metricstore.Store) servicehealth.Query {
	return func(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
		result, err := store.Query(ctx, expr, at)
		if err != nil {
			return nil, err
		}
		vector, ok := result.Value.(promql.Vector)
		if !ok {
			return nil, fmt.Errorf("%w: the answer is a %s and no vector", metricstore.ErrExecution, result.Value.Type())
		}
		return vector, nil
	}
}

// GetHealth sums up all services. A metric store that does not answer is an unhealthy system, a state store that does
// not answer a degraded one, and neither is an error.
func (s *restServer) GetHealth(ctx context.Context, _ api.GetHealthRequestObject) (api.GetHealthResponseObject, error) {
	limited, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	summary, err := s.health.Summary(limited)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	answer := api.GetHealth200JSONResponse{Status: api.HealthLevel(summary.Status), Timestamp: s.now().UTC()}
	answer.Services.Total = summary.Total
	answer.Services.Healthy = summary.Healthy
	answer.Services.Degraded = summary.Degraded
	answer.Services.Unhealthy = summary.Unhealthy
	if err != nil {
		answer.Status = api.Unhealthy
		answer.Detail = new(err.Error())
	}
	if err := s.countActive(limited, &answer); ctx.Err() != nil {
		return nil, ctx.Err()
	} else if err != nil {
		if answer.Status == api.Healthy {
			answer.Status = api.Degraded
		}
		answer.Detail = new(strings.TrimPrefix(deref(answer.Detail)+"; "+err.Error(), "; "))
	}
	return answer, nil
}

// countActive adds how many alerts fire and how many incidents are not resolved, where a store keeps them. A count
// that cannot be told stays absent.
func (s *restServer) countActive(ctx context.Context, answer *api.GetHealth200JSONResponse) error {
	if s.state == nil {
		return nil
	}
	alerts, err := s.state.CountFiring(ctx)
	if err != nil {
		return fmt.Errorf("count the alerts: %w", err)
	}
	answer.ActiveAlerts = &alerts
	incidents, err := s.state.CountUnresolved(ctx)
	if err != nil {
		return fmt.Errorf("count the incidents: %w", err)
	}
	answer.ActiveIncidents = &incidents
	return nil
}

// ListServiceHealth tells every service.
func (s *restServer) ListServiceHealth(ctx context.Context, _ api.ListServiceHealthRequestObject) (api.ListServiceHealthResponseObject, error) {
	limited, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	services, err := s.health.Services(limited)
	if err != nil {
		return nil, healthError(ctx, err)
	}
	answer := make(api.ListServiceHealth200JSONResponse, len(services))
	for i, service := range services {
		answer[i] = toServiceHealth(service)
	}
	return answer, nil
}

// GetServiceHealth tells one service, by id or name.
func (s *restServer) GetServiceHealth(ctx context.Context, request api.GetServiceHealthRequestObject) (api.GetServiceHealthResponseObject, error) {
	limited, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	service, err := s.health.Service(limited, request.ServiceID)
	if errors.Is(err, servicehealth.ErrUnknown) {
		return nil, problem.Field(http.StatusNotFound, "serviceId", "%q is no id or name of a service that is known", request.ServiceID)
	}
	if err != nil {
		return nil, healthError(ctx, err)
	}
	return api.GetServiceHealth200JSONResponse(toServiceHealth(service)), nil
}

// healthError tells what the store answers to our own queries, which are no fault of the client's.
func healthError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return unavailable(err)
}

func toServiceHealth(s servicehealth.Service) api.ServiceHealth {
	answer := api.ServiceHealth{ID: s.ID, Name: s.Name, Status: api.HealthLevel(s.Status), LastCheck: s.LastCheck, LastSeen: given(s.LastSeen)}
	reasons := make([]api.HealthReason, len(s.Reasons))
	for i, r := range s.Reasons {
		reasons[i] = api.HealthReason{Source: string(r.Source), Status: api.HealthLevel(r.Status), Message: r.Message}
	}
	answer.Reasons = &reasons
	if s.ActiveAlerts != nil {
		alerts := make([]api.Alert, len(s.ActiveAlerts))
		for i := range s.ActiveAlerts {
			alerts[i] = toAlert(&s.ActiveAlerts[i])
		}
		answer.ActiveAlerts, answer.ActiveAlertCount = &alerts, &s.AlertCount
	}
	if s.Details.Uptime > 0 {
		answer.Uptime = new(servicehealth.FormatUptime(s.Details.Uptime))
	}
	if s.Details.ResponseTime > 0 {
		answer.ResponseTime = new(s.Details.ResponseTime)
	}
	if len(s.Details.Metrics) > 0 {
		answer.Metrics = new(s.Details.Metrics)
	}
	return answer
}
