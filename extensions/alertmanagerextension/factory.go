package alertmanagerextension

import (
	"context"
	"time"

	"github.com/prometheus/alertmanager/cluster"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/extension"

	"github.com/quantivista/monitoring/extensions/alertmanagerextension/internal/metadata"
)

// NewFactory makes the alertmanager extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type, createDefaultConfig, create, metadata.ExtensionStability)
}

// createDefaultConfig has Alertmanager's own defaults where it has the same key, but for limits: it has none.
func createDefaultConfig() component.Config {
	return &Config{
		ReloadInterval:  5 * time.Second,
		ExternalURL:     "http://localhost:8090/alertmanager",
		SyncInterval:    2 * time.Second,
		RestoreTimeout:  2 * time.Minute,
		Retention:       120 * time.Hour,
		LedgerRetention: 30 * 24 * time.Hour,
		AlertGCInterval: 30 * time.Minute,
		Limits: LimitsConfig{
			Alerts:           200_000,
			Groups:           50_000,
			Silences:         10_000,
			SilenceSizeBytes: 64 << 10,
		},
		Cluster: configoptional.Default(ClusterConfig{
			ListenAddress:    "localhost:9094",
			PeerTimeout:      15 * time.Second,
			SettleTimeout:    cluster.DefaultPushPullInterval,
			GossipInterval:   cluster.DefaultGossipInterval,
			PushPullInterval: cluster.DefaultPushPullInterval,
		}),
	}
}

func create(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
	return newExtension(cfg.(*Config), set), nil
}
