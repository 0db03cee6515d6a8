package promnotifier

import (
	"fmt"

	"github.com/prometheus/common/model"
	promconfig "github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"go.yaml.in/yaml/v2"
)

// Config is the part of Prometheus' "alerting" block that works without its service discovery.
type Config struct{ alerting promconfig.AlertingConfig }

// Parse reads the keys "alertmanagers" and "alert_relabel_configs" as Prometheus does. Errors name them.
func Parse(alertmanagers, relabelConfigs []map[string]any) (Config, error) {
	var c Config
	text, err := yaml.Marshal(map[string]any{"alertmanagers": alertmanagers, "alert_relabel_configs": relabelConfigs})
	if err == nil {
		err = yaml.UnmarshalStrict(text, &c.alerting)
	}
	if err == nil {
		err = c.alerting.Validate(model.UTF8Validation)
	}
	if err != nil {
		return c, fmt.Errorf(`"alertmanagers" or "alert_relabel_configs": %w`, err)
	}
	for i, am := range c.alerting.AlertmanagerConfigs {
		for _, sd := range am.ServiceDiscoveryConfigs {
			if _, static := sd.(discovery.StaticConfig); !static {
				return c, fmt.Errorf(`"alertmanagers::%d": only static_configs are known here, not %s`, i, sd.Name())
			}
		}
		if len(am.ServiceDiscoveryConfigs) == 0 {
			return c, fmt.Errorf(`"alertmanagers::%d": static_configs must name the targets`, i)
		}
	}
	return c, nil
}

// Empty says that there is nobody to send to.
func (c *Config) Empty() bool { return len(c.alerting.AlertmanagerConfigs) == 0 }

// targets takes the place of a service discovery.
func (c *Config) targets() map[string][]*targetgroup.Group {
	groups := map[string][]*targetgroup.Group{}
	for id, am := range c.alerting.AlertmanagerConfigs.ToMap() {
		for _, sd := range am.ServiceDiscoveryConfigs {
			if static, ok := sd.(discovery.StaticConfig); ok {
				groups[id] = append(groups[id], static...)
			}
		}
	}
	return groups
}
