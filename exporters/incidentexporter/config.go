package incidentexporter

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
)

// Config of the incident exporter.
type Config struct {
	// SQLStore is the sql_store extension that keeps alerts and incidents.
	SQLStore component.ID `mapstructure:"sql_store"`
	// Alertmanager is the alertmanager extension whose silences and inhibitions keep alerts from opening incidents; empty
	// for none.
	Alertmanager component.ID `mapstructure:"alertmanager"`
	// ServiceGraph has alerts join the incident of a service that theirs calls; off unless it is set.
	ServiceGraph configoptional.Optional[ServiceGraphConfig] `mapstructure:"service_graph"`

	// CorrelationLabels are those that the alerts of an incident share.
	CorrelationLabels []string `mapstructure:"correlation_labels"`
	// MinSeverity is the least one that opens an incident.
	MinSeverity string `mapstructure:"min_severity"`
	// TitleTemplate is a Go text/template; see incident.ParseTitle.
	TitleTemplate string `mapstructure:"title_template"`
	// QuietPeriod is how long a mitigated incident waits to be resolved.
	QuietPeriod time.Duration `mapstructure:"quiet_period"`
	// ReopenWindow is how long a resolved incident takes back alerts.
	ReopenWindow time.Duration `mapstructure:"reopen_window"`
	// FlapWindow joins periods of an alert that start no further apart.
	FlapWindow time.Duration `mapstructure:"flap_window"`
	// SweepInterval is how often mitigated incidents, expired alerts, and muted alerts are looked at.
	SweepInterval time.Duration `mapstructure:"sweep_interval"`
	// ExpiryGrace is how long the exporter must have reached the store before it ends alerts that nobody reports.
	ExpiryGrace time.Duration `mapstructure:"expiry_grace"`
	// MaxClockSkew is how far the clocks of reporters may be behind.
	MaxClockSkew time.Duration `mapstructure:"max_clock_skew"`
	// Retention is how long resolved incidents and alerts are kept; 0 is for ever.
	Retention model.Duration `mapstructure:"retention"`

	TimeoutConfig exporterhelper.TimeoutConfig                             `mapstructure:",squash"`
	QueueConfig   configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	RetryConfig   configretry.BackOffConfig                                `mapstructure:"retry_on_failure"`
}

// Validate names every fault by its key.
func (c *Config) Validate() error {
	var errs []error
	if c.SQLStore == (component.ID{}) {
		errs = append(errs, errors.New("\"sql_store\" must name a sql_store extension, such as sql_store"))
	}
	if c.SweepInterval <= 0 {
		errs = append(errs, fmt.Errorf("\"sweep_interval\" must be positive, is %s", c.SweepInterval))
	}
	for key, d := range map[string]time.Duration{"expiry_grace": c.ExpiryGrace, "max_clock_skew": c.MaxClockSkew} {
		if d < 0 {
			errs = append(errs, fmt.Errorf("%q must not be negative, is %s", key, d))
		}
	}
	if least := max(c.QuietPeriod, c.ReopenWindow, c.FlapWindow); c.Retention != 0 && time.Duration(c.Retention) < least {
		errs = append(errs, fmt.Errorf("\"retention\" must be 0 (for ever) or at least %s, the longest of \"quiet_period\", "+
			"\"reopen_window\" and \"flap_window\", is %s", least, c.Retention))
	}
	if c.ServiceGraph.HasValue() {
		errs = append(errs, c.ServiceGraph.Get().faults()...)
		if !slices.Contains(c.CorrelationLabels, "service") {
			errs = append(errs, errors.New("\"correlation_labels\" must have service where \"service_graph\" is set"))
		}
		if n := len(c.CorrelationLabels) - 1; n > incident.MaxPlaceLabels {
			errs = append(errs, fmt.Errorf("\"correlation_labels\" must have at most %d labels beside service where \"service_graph\" is set, has %d",
				incident.MaxPlaceLabels, n))
		}
	}
	rules, err := c.correlation()
	return errors.Join(append(errs, err, rules.Validate())...)
}

// correlation gives the rules. The error is about the title's template alone.
func (c *Config) correlation() (incident.Correlation, error) {
	title, err := incident.ParseTitle(c.TitleTemplate)
	if err != nil {
		err = fmt.Errorf("\"title_template\" must be a Go text/template such as %q: %w", incident.DefaultTitle, err)
	}
	return incident.Correlation{
		Labels: c.CorrelationLabels, MinSeverity: alert.Severity(c.MinSeverity), Title: title,
		QuietPeriod: c.QuietPeriod, ReopenWindow: c.ReopenWindow, FlapWindow: c.FlapWindow,
	}, err
}
