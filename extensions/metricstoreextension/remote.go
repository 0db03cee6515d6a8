package metricstoreextension

import (
	"go.opentelemetry.io/collector/extension"
)

func newRemoteStore(cfg *Config, set extension.Settings) extension.Extension {
	return newEmbeddedStore(cfg, set)
}
