package custommetricsreceiver

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/component"
)

// Config of the custom_metrics receiver.
type Config struct {
	// API is the monitoring_api extension that serves the endpoint.
	API component.ID `mapstructure:"api"`
	// MaxMetricsPerRequest is how many metrics one request may have.
	MaxMetricsPerRequest int `mapstructure:"max_metrics_per_request"`
}

// Validate names every fault by its key.
func (c *Config) Validate() error {
	var errs []error
	if c.API == (component.ID{}) {
		errs = append(errs, errors.New(`"api" must name a monitoring_api extension, such as monitoring_api`))
	}
	if c.MaxMetricsPerRequest <= 0 {
		errs = append(errs, fmt.Errorf(`"max_metrics_per_request" must be positive, is %d`, c.MaxMetricsPerRequest))
	}
	return errors.Join(errs...)
}
