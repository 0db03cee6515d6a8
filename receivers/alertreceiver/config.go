package alertreceiver

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/quantivista/monitoring/internal/alert"
)

// Config of the alert receiver.
type Config struct {
	// API is the monitoring_api extension that serves the endpoints.
	API component.ID `mapstructure:"api"`
	// ResolveTimeout is how long an alert fires that was sent as to an Alertmanager, without a time of its end.
	ResolveTimeout time.Duration `mapstructure:"resolve_timeout"`
	// MaxAlertsPerRequest is how many alerts one request may have.
	MaxAlertsPerRequest int `mapstructure:"max_alerts_per_request"`
	// SeverityConfig gives the severity of alerts that were sent as to an Alertmanager.
	alert.SeverityConfig `mapstructure:",squash"`
}

// Validate names every fault by its key.
func (c *Config) Validate() error {
	var errs []error
	if c.API == (component.ID{}) {
		errs = append(errs, errors.New(`"api" must name a monitoring_api extension, such as monitoring_api`))
	}
	if c.ResolveTimeout <= 0 {
		errs = append(errs, fmt.Errorf(`"resolve_timeout" must be positive, is %s`, c.ResolveTimeout))
	}
	if c.MaxAlertsPerRequest <= 0 {
		errs = append(errs, fmt.Errorf(`"max_alerts_per_request" must be positive, is %d`, c.MaxAlertsPerRequest))
	}
	return errors.Join(errs...)
}
