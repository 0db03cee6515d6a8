package servicehealth

import "github.com/quantivista/monitoring/internal/alert"

// Rules are what a user says of how services are judged.
type Rules struct {
	// Alerts makes the severity of an alert that fires a status.
	Alerts AlertRules
	// Services names the services of probes by URL, before their labels do.
	Services map[string]string
	Checks   []Check
}

// AlertRules are the least severities that count; empty where none does.
type AlertRules struct{ Unhealthy, Degraded alert.Severity }

// status of a service by the worst of its alerts.
func (r AlertRules) status(worst alert.Severity) Status {
	atLeast := func(least alert.Severity) bool { return least != "" && !least.Worse(worst) }
	switch {
	case atLeast(r.Unhealthy):
		return Unhealthy
	case atLeast(r.Degraded):
		return Degraded
	default:
		return Healthy
	}
}

// Check gives a status to a service while its query gives anything.
type Check struct {
	// Service is the one to judge. Empty, each result names its own by the label service, or else job.
	Service string
	// Name tells people what is checked.
	Name string
	// Query is PromQL that gives a vector.
	Query string
	// Status is Degraded or Unhealthy.
	Status Status
}
