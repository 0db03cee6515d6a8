package alertruleprocessor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	promconfig "github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/notifier"
	"github.com/prometheus/prometheus/rules"
	"go.yaml.in/yaml/v2"
)

// notifierQueue is Prometheus' default of --alertmanager.notification-queue-capacity.
const notifierQueue = 10_000

// alerting gives "alertmanagers" and "alert_relabel_configs" as Prometheus reads them.
func (c *Config) alerting() (promconfig.AlertingConfig, error) {
	var alerting promconfig.AlertingConfig
	text, err := yaml.Marshal(map[string]any{"alertmanagers": c.Alertmanagers, "alert_relabel_configs": c.AlertRelabelConfigs})
	if err == nil {
		err = yaml.UnmarshalStrict(text, &alerting)
	}
	if err == nil {
		err = alerting.Validate(model.UTF8Validation)
	}
	if err != nil {
		return alerting, fmt.Errorf(`"alertmanagers" or "alert_relabel_configs": %w`, err)
	}
	for i, am := range alerting.AlertmanagerConfigs {
		for _, sd := range am.ServiceDiscoveryConfigs {
			if _, static := sd.(discovery.StaticConfig); !static {
				return alerting, fmt.Errorf(`"alertmanagers::%d": only static_configs are known here, not %s`, i, sd.Name())
			}
		}
		if len(am.ServiceDiscoveryConfigs) == 0 {
			return alerting, fmt.Errorf(`"alertmanagers::%d": static_configs must name the targets`, i)
		}
	}
	return alerting, nil
}

// alertmanagers sends alerts to external Alertmanagers, as a Prometheus does.
type alertmanagers struct {
	manager *notifier.Manager
	send    rules.NotifyFunc
	ran     sync.WaitGroup
}

// startAlertmanagers gives nil where none are configured.
func startAlertmanagers(cfg *Config, registry *prometheus.Registry, logger *slog.Logger) (*alertmanagers, error) {
	alerting, err := cfg.alerting()
	if err != nil || len(alerting.AlertmanagerConfigs) == 0 {
		return nil, err
	}
	a := &alertmanagers{manager: notifier.NewManager(&notifier.Options{QueueCapacity: notifierQueue, Registerer: registry}, model.UTF8Validation, logger)}
	conf := promconfig.DefaultConfig
	conf.GlobalConfig.ExternalLabels = labels.FromMap(cfg.ExternalLabels)
	conf.GlobalConfig.MetricNameValidationScheme = model.UTF8Validation
	conf.AlertingConfig = alerting
	if err := a.manager.ApplyConfig(&conf); err != nil {
		return nil, fmt.Errorf(`"alertmanagers": %w`, err)
	}
	a.send = rules.SendAlerts(a.manager, cfg.ExternalURL)
	targets := make(chan map[string][]*targetgroup.Group, 1)
	targets <- staticTargets(alerting)
	a.ran.Go(func() { a.manager.Run(targets) })
	return a, nil
}

func staticTargets(alerting promconfig.AlertingConfig) map[string][]*targetgroup.Group {
	groups := map[string][]*targetgroup.Group{}
	for id, am := range alerting.AlertmanagerConfigs.ToMap() {
		for _, sd := range am.ServiceDiscoveryConfigs {
			if static, ok := sd.(discovery.StaticConfig); ok {
				groups[id] = append(groups[id], static...)
			}
		}
	}
	return groups
}

func (a *alertmanagers) notify(ctx context.Context, expr string, alerts ...*rules.Alert) {
	if a != nil {
		a.send(ctx, expr, alerts...)
	}
}

// stop ends the sending. What waits is dropped: Alertmanagers get it again from the next start.
func (a *alertmanagers) stop(ctx context.Context) error {
	if a == nil {
		return nil
	}
	a.manager.Stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		a.ran.Wait()
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return errors.New("an Alertmanager did not answer before the shutdown's end")
	}
}
