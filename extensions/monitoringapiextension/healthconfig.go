package monitoringapiextension

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"go.uber.org/zap"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/servicehealth"
)

// HealthConfig is how services are judged. Interval, Timeout, DetailsInterval, ForgetAfter and Alerts matter with a
// SQLStore alone.
type HealthConfig struct {
	// Interval is the time between two judgements, give or take a tenth.
	Interval time.Duration `mapstructure:"interval"`
	// Timeout bounds one.
	Timeout time.Duration `mapstructure:"timeout"`
	// DetailsInterval is the least time between two looks at the metrics that services tell about themselves.
	DetailsInterval time.Duration `mapstructure:"details_interval"`
	// ForgetAfter is how long a service that is not seen any more is told as unhealthy.
	ForgetAfter time.Duration `mapstructure:"forget_after"`
	// Alerts is what alerts make of their service.
	Alerts HealthAlertsConfig `mapstructure:"alerts"`
	// Probes names the services of endpoints that are probed.
	Probes []ProbeConfig `mapstructure:"probes"`
	// Checks are PromQL.
	Checks []CheckConfig `mapstructure:"checks"`
}

// HealthAlertsConfig has the least severities that count, or "none".
type HealthAlertsConfig struct {
	Unhealthy string `mapstructure:"unhealthy"`
	Degraded  string `mapstructure:"degraded"`
}

// noSeverity has no alert count.
const noSeverity = "none"

// ProbeConfig names the service of an endpoint.
type ProbeConfig struct {
	// URL as the probe writes it: the label http_url of httpcheck, or instance of the blackbox exporter.
	URL     string `mapstructure:"url"`
	Service string `mapstructure:"service"`
}

// CheckConfig gives a service a status while a query gives a result.
type CheckConfig struct {
	// Service is judged; empty, each result names its own by the label service, or else job.
	Service string `mapstructure:"service"`
	// Name tells people what is checked.
	Name string `mapstructure:"name"`
	// Query is PromQL that gives an instant vector.
	Query string `mapstructure:"query"`
	// Status is degraded or unhealthy.
	Status string `mapstructure:"status"`
}

// Validate names every fault by its key.
func (c *HealthConfig) Validate() error {
	var errs []error
	for _, d := range []struct {
		key   string
		value time.Duration
	}{{"interval", c.Interval}, {"timeout", c.Timeout}, {"forget_after", c.ForgetAfter}} {
		if d.value <= 0 {
			errs = append(errs, fmt.Errorf("%q must be positive, is %s", d.key, d.value))
		}
	}
	if c.DetailsInterval < 0 {
		errs = append(errs, fmt.Errorf(`"details_interval" must not be negative, is %s`, c.DetailsInterval))
	}
	return errors.Join(errs...)
}

// Validate knows the severities.
func (c *HealthAlertsConfig) Validate() error {
	var errs []error
	for key, name := range map[string]string{"unhealthy": c.Unhealthy, "degraded": c.Degraded} {
		if _, err := alert.ParseSeverity(name); err != nil && name != noSeverity {
			errs = append(errs, fmt.Errorf("%q must be critical, high, medium, low, info or none, is %q", key, name))
		}
	}
	return errors.Join(errs...)
}

// Validate wants both.
func (c *ProbeConfig) Validate() error {
	if c.URL == "" || c.Service == "" {
		return errors.New(`"url" and "service" must be set: the service that the endpoint is of`)
	}
	return nil
}

// Validate wants a name and a query that gives a vector.
func (c *CheckConfig) Validate() error {
	var errs []error
	if c.Name == "" {
		errs = append(errs, errors.New(`"name" must tell people what is checked`))
	}
	if c.Status != string(servicehealth.Degraded) && c.Status != string(servicehealth.Unhealthy) {
		errs = append(errs, fmt.Errorf(`"status" must be degraded or unhealthy, is %q`, c.Status))
	}
	if expr, err := parser.ParseExpr(c.Query); err != nil {
		errs = append(errs, fmt.Errorf(`"query" must be PromQL: %w`, err))
	} else if t := expr.Type(); t != parser.ValueTypeVector {
		errs = append(errs, fmt.Errorf(`"query" must give an instant vector, such as errors_total > 5, gives a %s`, parser.DocumentedType(t)))
	}
	return errors.Join(errs...)
}

// rules of a valid configuration.
func (c *HealthConfig) rules() servicehealth.Rules {
	r := servicehealth.Rules{
		Alerts:   servicehealth.AlertRules{Unhealthy: severity(c.Alerts.Unhealthy), Degraded: severity(c.Alerts.Degraded)},
		Services: make(map[string]string, len(c.Probes)),
		Checks:   make([]servicehealth.Check, len(c.Checks)),
	}
	for _, p := range c.Probes {
		r.Services[p.URL] = p.Service
	}
	for i, check := range c.Checks {
		r.Checks[i] = servicehealth.Check{Service: check.Service, Name: check.Name, Query: check.Query, Status: servicehealth.Status(check.Status)}
	}
	return r
}

func severity(name string) alert.Severity {
	if name == noSeverity {
		return ""
	}
	return alert.Severity(name)
}

func (c *HealthConfig) settings() servicehealth.Settings {
	return servicehealth.Settings{Interval: c.Interval, Timeout: c.Timeout, DetailsInterval: c.DetailsInterval, ForgetAfter: c.ForgetAfter}
}

// logChanges logs that services can no longer be judged, and that they can again.
func logChanges(logger *zap.Logger) func(error) {
	failing := false
	return func(err error) {
		switch {
		case err != nil && !failing:
			logger.Warn("Cannot judge the health of services: the API tells what was judged last", zap.Error(err))
		case err == nil && failing:
			logger.Info("The health of services is judged again")
		}
		failing = err != nil
	}
}
