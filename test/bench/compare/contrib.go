package main

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// gatewayConfig is a collector's configuration, as far as contribGateway changes it.
type gatewayConfig struct {
	Extensions map[string]map[string]any `yaml:"extensions"`
	Receivers  map[string]map[string]any `yaml:"receivers"`
	Processors map[string]map[string]any `yaml:"processors"`
	Connectors map[string]map[string]any `yaml:"connectors"`
	Exporters  map[string]map[string]any `yaml:"exporters"`
	Service    struct {
		Telemetry  map[string]any      `yaml:"telemetry"`
		Extensions []string            `yaml:"extensions"`
		Pipelines  map[string]pipeline `yaml:"pipelines"`
	} `yaml:"service"`
}

type pipeline struct {
	Receivers  []string `yaml:"receivers"`
	Processors []string `yaml:"processors"`
	Exporters  []string `yaml:"exporters"`
}

// stockExporters take the places of ours.
var stockExporters = map[string]string{
	"optional_otlp/jaeger": "otlp_grpc/jaeger",
	"loki":                 "otlp_http/loki",
	"metric_store":         "otlp_http/metrics",
}

// contribGateway makes of configs/gateway.yaml the gateway that a stock collector can be: the same pipelines of OTLP, with
// the same queues, without the store, rules, alerts and the scrape of itself. Its exporters of logs and metrics are asked for
// the same endpoint.
func contribGateway(shipped []byte) ([]byte, error) {
	var c gatewayConfig
	if err := yaml.Unmarshal(shipped, &c); err != nil {
		return nil, err
	}
	keep(c.Extensions, "health_check", "file_storage")
	c.Service.Extensions = []string{"health_check", "file_storage"}
	keep(c.Receivers, "otlp")
	delete(c.Processors, "alert_rule")
	for name, exporter := range c.Exporters {
		delete(exporter, "hint")
		if stock, ok := stockExporters[name]; ok {
			c.Exporters[stock] = exporter
		}
	}
	keep(c.Exporters, slices.Collect(maps.Values(stockExporters))...)
	const endpoint = "${env:LOKI_ENDPOINT}"
	c.Exporters["otlp_http/loki"]["endpoint"] = endpoint + "/otlp"
	c.Exporters["otlp_http/metrics"] = map[string]any{"endpoint": endpoint}

	delete(c.Service.Pipelines, "metrics")
	delete(c.Service.Pipelines, "metrics/rules")
	for _, p := range c.Service.Pipelines {
		for i, name := range p.Exporters {
			if stock, ok := stockExporters[name]; ok {
				p.Exporters[i] = stock
			}
		}
	}
	return yaml.Marshal(c)
}

func keep(components map[string]map[string]any, names ...string) {
	maps.DeleteFunc(components, func(name string, _ map[string]any) bool { return !slices.Contains(names, name) })
}
