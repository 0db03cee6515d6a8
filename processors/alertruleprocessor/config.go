package alertruleprocessor

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/component"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/promnotifier"
)

// Config of the alert_rule processor.
type Config struct {
	// MetricStore is the metric_store extension that the rules query and write to.
	MetricStore component.ID `mapstructure:"metric_store"`
	// API is the monitoring_api extension that shows the rules; empty for none.
	API component.ID `mapstructure:"api"`

	// SQLStore is the sql_store extension whose rules, those made by the API, are evaluated too; empty for none.
	SQLStore component.ID `mapstructure:"sql_store"`

	// RuleFiles are patterns of files in the Prometheus format.
	RuleFiles []string `mapstructure:"rule_files"`
	// ReloadInterval is how often the rule files and the stored rules are looked at.
	ReloadInterval time.Duration `mapstructure:"reload_interval"`

	// EvaluationInterval of groups that have none of their own.
	EvaluationInterval time.Duration `mapstructure:"evaluation_interval"`
	// Concurrency is how many rules, beyond one for each group, are evaluated at a time.
	Concurrency int64 `mapstructure:"concurrency"`

	// ExternalLabels are added to every alert that has no such label, and are known to templates.
	ExternalLabels map[string]string `mapstructure:"external_labels"`
	// ExternalURL is where people reach the API; templates and generator URLs use it.
	ExternalURL string `mapstructure:"external_url"`

	// ForOutageTolerance is how long the collector may be down for the state of "for" to be restored.
	ForOutageTolerance time.Duration `mapstructure:"for_outage_tolerance"`
	// ForGracePeriod is the shortest "for" that is restored, and the least time to fire after a restart.
	ForGracePeriod time.Duration `mapstructure:"for_grace_period"`
	// AlertOutageTolerance is how long a firing alert goes on without a report, beyond what Prometheus gives it.
	AlertOutageTolerance time.Duration `mapstructure:"alert_outage_tolerance"`
	// ResendDelay is the least time between two reports of an alert that goes on.
	ResendDelay time.Duration `mapstructure:"resend_delay"`
	// MaxWaiting is how many alerts may wait for the next component.
	MaxWaiting int `mapstructure:"max_waiting_alerts"`

	// SeverityConfig gives the severity of an alert by its labels.
	alert.SeverityConfig `mapstructure:",squash"`

	// Alertmanagers to send to beside the pipeline, in Prometheus' format.
	Alertmanagers []map[string]any `mapstructure:"alertmanagers"`
	// AlertRelabelConfigs change alerts before they are sent to Alertmanagers, in Prometheus' format.
	AlertRelabelConfigs []map[string]any `mapstructure:"alert_relabel_configs"`
}

// Validate names every fault by its key.
func (c *Config) Validate() error {
	errs := []error{c.validateRules()}
	for key, d := range map[string]time.Duration{
		"evaluation_interval": c.EvaluationInterval, "reload_interval": c.ReloadInterval, "resend_delay": c.ResendDelay,
	} {
		if d <= 0 {
			errs = append(errs, fmt.Errorf("%q must be positive, is %s", key, d))
		}
	}
	for key, d := range map[string]time.Duration{
		"for_outage_tolerance": c.ForOutageTolerance, "for_grace_period": c.ForGracePeriod, "alert_outage_tolerance": c.AlertOutageTolerance,
	} {
		if d < 0 {
			errs = append(errs, fmt.Errorf("%q must not be negative, is %s", key, d))
		}
	}
	if c.Concurrency < 0 {
		errs = append(errs, fmt.Errorf(`"concurrency" must not be negative, is %d`, c.Concurrency))
	}
	if c.MaxWaiting <= 0 {
		errs = append(errs, fmt.Errorf(`"max_waiting_alerts" must be positive, is %d`, c.MaxWaiting))
	}
	_, err := c.external()
	return errors.Join(append(errs, err)...)
}

// external tells which Alertmanagers to send to.
func (c *Config) external() (promnotifier.Config, error) {
	return promnotifier.Parse(c.Alertmanagers, c.AlertRelabelConfigs)
}

func (c *Config) validateRules() error {
	var errs []error
	if c.MetricStore == (component.ID{}) {
		errs = append(errs, errors.New(`"metric_store" must name a metric_store extension, such as metric_store`))
	}
	for i, pattern := range c.RuleFiles {
		if _, err := filepath.Match(pattern, ""); err != nil || pattern == "" {
			errs = append(errs, fmt.Errorf(`"rule_files::%d" must be a path or a pattern such as rules/*.yaml, is %q`, i, pattern))
		}
	}
	for name := range c.ExternalLabels {
		if !model.UTF8Validation.IsValidLabelName(name) || name == model.MetricNameLabel {
			errs = append(errs, fmt.Errorf(`"external_labels": %q is no name of a label`, name))
		}
	}
	if u, err := url.Parse(c.ExternalURL); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		errs = append(errs, fmt.Errorf(`"external_url" must be a URL such as http://localhost:8090/prometheus, is %q`, c.ExternalURL))
	}
	return errors.Join(errs...)
}
