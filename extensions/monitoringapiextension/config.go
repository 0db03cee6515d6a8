package monitoringapiextension

import (
	"errors"
	"fmt"
	"net/url"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"
)

// Config of the monitoring_api extension.
type Config struct {
	// ServerConfig listens, and has TLS, authentication, CORS and the limit of bodies.
	confighttp.ServerConfig `mapstructure:",squash"`
	// MetricStore is the extension that is queried.
	MetricStore component.ID `mapstructure:"metric_store"`
	// SQLStore is the extension that keeps alerts, incidents and rules; empty for none.
	SQLStore component.ID `mapstructure:"sql_store"`
	// Alertmanager is the extension that is served under /alertmanager; empty for none.
	Alertmanager component.ID `mapstructure:"alertmanager"`
	// ScrapeAPI lists the prometheus receivers' API servers, whose targets are told.
	ScrapeAPI []ScrapeAPIConfig `mapstructure:"scrape_api"`
	// Jaeger is asked for traces.
	Jaeger JaegerConfig `mapstructure:"jaeger"`
	// Evidence is what is kept with incidents.
	Evidence EvidenceConfig `mapstructure:"evidence"`
	// Loki is asked for logs.
	Loki LokiConfig `mapstructure:"loki"`
	// Health is how services are judged.
	Health HealthConfig `mapstructure:"health"`
}

// ScrapeAPIConfig is how to reach the "api_server" of one prometheus receiver.
type ScrapeAPIConfig struct {
	confighttp.ClientConfig `mapstructure:",squash"`
}

var _ confmap.Unmarshaler = (*ScrapeAPIConfig)(nil)

// Unmarshal puts the defaults under each entry of the list.
func (c *ScrapeAPIConfig) Unmarshal(conf *confmap.Conf) error {
	c.ClientConfig = confighttp.NewDefaultClientConfig()
	c.Timeout = defaultScrapeAPITimeout
	return conf.Unmarshal(c)
}

// Validate wants the base URL.
func (c *ScrapeAPIConfig) Validate() error {
	u, err := url.Parse(c.Endpoint)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return errors.New(`"endpoint" must be the base URL of a prometheus receiver's "api_server", such as http://localhost:9090`)
	}
	if c.Timeout <= 0 {
		return fmt.Errorf(`"timeout" must be positive, is %s`, c.Timeout)
	}
	return nil
}

// Validate names every fault by its key.
func (c *Config) Validate() error {
	var errs []error
	if c.NetAddr.Endpoint == "" {
		errs = append(errs, errors.New(`"endpoint" must be the address to listen on, such as localhost:8090`))
	}
	if c.MetricStore == (component.ID{}) {
		errs = append(errs, errors.New(`"metric_store" must name a metric_store extension, such as metric_store`))
	}
	return errors.Join(errs...)
}
