package alertmanagerexporter

import (
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/quantivista/monitoring/internal/promnotifier"
)

// Config of the alertmanager exporter.
type Config struct {
	// Alertmanager is the alertmanager extension that takes the alerts; empty for none.
	Alertmanager component.ID `mapstructure:"alertmanager"`
	// Alertmanagers are external ones, in Prometheus' format.
	Alertmanagers []map[string]any `mapstructure:"alertmanagers"`
	// AlertRelabelConfigs change alerts before they are sent to external Alertmanagers, in Prometheus' format.
	AlertRelabelConfigs []map[string]any `mapstructure:"alert_relabel_configs"`

	TimeoutConfig exporterhelper.TimeoutConfig                             `mapstructure:",squash"`
	QueueConfig   configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	RetryConfig   configretry.BackOffConfig                                `mapstructure:"retry_on_failure"`
}

// Validate names every fault by its key.
func (c *Config) Validate() error {
	external, err := c.external()
	if err == nil && external.Empty() && c.Alertmanager == (component.ID{}) {
		err = errors.New(`"alertmanager" must name an alertmanager extension, such as alertmanager, or "alertmanagers" external ones`)
	}
	return err
}

func (c *Config) external() (promnotifier.Config, error) {
	return promnotifier.Parse(c.Alertmanagers, c.AlertRelabelConfigs)
}
