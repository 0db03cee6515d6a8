package embedded

import (
	"errors"
	"hash/fnv"

	"github.com/prometheus/client_golang/prometheus"
)

// configMetrics are those of Alertmanager's main package, under the same names, so that its dashboards and alerts work.
type configMetrics struct {
	hash, successful, successTime, receivers, integrations, inhibitions prometheus.Gauge
}

func newConfigMetrics(registry prometheus.Registerer) (*configMetrics, error) {
	var errs []error
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
		errs = append(errs, registry.Register(g))
		return g
	}
	m := &configMetrics{
		hash:         gauge("alertmanager_config_hash", "Hash of the currently loaded alertmanager configuration. It is not cryptographically strong."),
		successful:   gauge("alertmanager_config_last_reload_successful", "Whether the last configuration reload attempt was successful."),
		successTime:  gauge("alertmanager_config_last_reload_success_timestamp_seconds", "Timestamp of the last successful configuration reload."),
		receivers:    gauge("alertmanager_receivers", "Number of receivers that a route leads to."),
		integrations: gauge("alertmanager_integrations", "Number of configured integrations."),
		inhibitions:  gauge("alertmanager_inhibition_rules", "Number of configured inhibition rules."),
	}
	return m, errors.Join(errs...)
}

func (m *configMetrics) applied(c *current, conf *Configuration) {
	var used, integrations int
	for _, r := range c.receivers {
		if r.Used {
			used++
		}
		integrations += len(r.Integrations)
	}
	m.receivers.Set(float64(used))
	m.integrations.Set(float64(integrations))
	m.inhibitions.Set(float64(len(c.conf.InhibitRules)))
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(conf.text)) // It has no error to give.
	m.hash.Set(float64(sum.Sum32()))
	m.successful.Set(1)
	m.successTime.SetToCurrentTime()
}

// Refused counts a configuration that was not put into force.
func (e *Engine) Refused() { e.metrics.successful.Set(0) }
