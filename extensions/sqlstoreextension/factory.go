package sqlstoreextension

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/extension"

	"github.com/quantivista/monitoring/extensions/sqlstoreextension/internal/metadata"
)

// NewFactory makes the sql_store extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type, createDefaultConfig, create, metadata.ExtensionStability)
}

func createDefaultConfig() component.Config {
	return &Config{
		Driver: driverSQLite,
		SQLite: SQLite{Path: "./data/state/monitoring.db", BusyTimeout: 5 * time.Second},
		Postgres: Postgres{
			TLS:              configoptional.Default(configtls.NewDefaultClientConfig()),
			MaxOpenConns:     10,
			MaxIdleConns:     5,
			ConnMaxLifetime:  30 * time.Minute,
			ConnMaxIdleTime:  5 * time.Minute,
			ConnectTimeout:   5 * time.Second,
			StatementTimeout: 30 * time.Second,
		},
	}
}

func create(ctx context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
	store, err := open(ctx, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	return newExtension(store, set), nil
}
