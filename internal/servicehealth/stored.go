package servicehealth

import (
	"context"
	"fmt"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
)

// The alerts that are told of each service: of one, and of each in a list.
const (
	alertsOfOne  = 100
	alertsOfMany = 10
)

var _ Reader = (*Monitor)(nil)

// What is stored answers, also while the metric store is slow. Where nothing is, or the database is away, the assessor
// answers from metrics alone.

// Summary counts the stored services. Its error says why they are old, where they are.
func (m *Monitor) Summary(ctx context.Context) (Summary, error) {
	records, err := m.records.Health(ctx)
	if err != nil || len(records) == 0 {
		return m.assessor.Summary(ctx)
	}
	services := make([]Service, len(records))
	newest := time.Time{}
	for i := range records {
		services[i] = records[i].service()
		newest = later(newest, records[i].LastCheck)
	}
	return summarize(services), m.stale(newest)
}

// stale says why stored health is old, where it is.
func (m *Monitor) stale(newest time.Time) error {
	age := m.assessor.now().Sub(newest)
	if age <= absentAfter*m.settings.Interval {
		return nil
	}
	if err := m.fault(); err != nil {
		return fmt.Errorf("services were judged %s ago: %w", age.Round(time.Second), err)
	}
	return nil // This process has just started.
}

// Services gives the stored services with alerts, or where there is nothing stored, what the assessor finds.
func (m *Monitor) Services(ctx context.Context) ([]Service, error) {
	records, err := m.records.Health(ctx)
	if err != nil || len(records) == 0 {
		return m.assessor.Services(ctx)
	}
	firing, err := m.alerts.FiringByService(ctx, "", alertsOfMany)
	if err != nil {
		return nil, err
	}
	services := make([]Service, len(records))
	for i := range records {
		services[i] = records[i].service()
		services[i].attach(firing)
	}
	return services, nil
}

// Service gives one stored service with its alerts, or where nothing is stored, what the assessor finds.
func (m *Monitor) Service(ctx context.Context, idOrName string) (Service, error) {
	records, err := m.records.Health(ctx)
	if err != nil || len(records) == 0 {
		return m.assessor.Service(ctx, idOrName)
	}
	services := make([]Service, len(records))
	for i := range records {
		services[i] = records[i].service()
	}
	found, err := find(services, idOrName)
	if err != nil {
		return Service{}, err
	}
	firing, err := m.alerts.FiringByService(ctx, found.Name, alertsOfOne)
	found.attach(firing)
	return found, err
}

// attach shows the alerts of a service.
func (s *Service) attach(firing map[string]Firing) {
	of := firing[s.Name]
	s.ActiveAlerts, s.AlertCount = of.Alerts, of.Total
	if s.ActiveAlerts == nil {
		s.ActiveAlerts = []alert.Record{} // None fires, where nil is that nobody knows.
	}
}
