package metricstoreextension

import (
	"context"
	"time"

	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/extension"

	"github.com/quantivista/monitoring/extensions/metricstoreextension/internal/metadata"
)

// NewFactory makes the metric_store extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type, createDefaultConfig, create, metadata.ExtensionStability)
}

func createDefaultConfig() component.Config {
	return &Config{
		Directory:            "./data/metrics",
		Retention:            Retention{Time: model.Duration(15 * 24 * time.Hour)},
		OutOfOrderTimeWindow: model.Duration(30 * time.Minute),
		WALCompression:       "snappy",
		MaxExemplars:         100_000,
		GCPercent:            75,
		Query: QueryLimits{
			Timeout:        model.Duration(2 * time.Minute),
			MaxSamples:     50_000_000,
			MaxConcurrency: 20,
			LookbackDelta:  model.Duration(5 * time.Minute),
		},
		Remote: configoptional.Default(confighttp.NewDefaultClientConfig()),
	}
}

func create(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
	c := cfg.(*Config)
	if c.Remote.HasValue() {
		return newRemoteStore(c, set), nil
	}
	return newEmbeddedStore(c, set), nil
}
