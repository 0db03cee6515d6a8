package metricstoreexporter

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/otlptranslator"
	promconfig "github.com/prometheus/prometheus/config"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

// Config of the metric_store exporter. The keys of the translation are those of Prometheus' own "otlp" block.
type Config struct {
	// MetricStore is the metric_store extension to write to.
	MetricStore component.ID `mapstructure:"metric_store"`

	// TranslationStrategy says how OTLP names become Prometheus names.
	TranslationStrategy string `mapstructure:"translation_strategy"`
	// PromoteResourceAttributes become labels of every series of the resource.
	PromoteResourceAttributes []string `mapstructure:"promote_resource_attributes"`
	// PromoteAllResourceAttributes promotes every resource attribute but IgnoreResourceAttributes.
	PromoteAllResourceAttributes bool     `mapstructure:"promote_all_resource_attributes"`
	IgnoreResourceAttributes     []string `mapstructure:"ignore_resource_attributes"`
	// KeepIdentifyingResourceAttributes keeps service.name, service.namespace and service.instance.id as labels of target_info.
	KeepIdentifyingResourceAttributes bool `mapstructure:"keep_identifying_resource_attributes"`
	// PromoteScopeMetadata adds otel_scope_* labels.
	PromoteScopeMetadata bool `mapstructure:"promote_scope_metadata"`
	// ConvertHistogramsToNHCB stores explicit bucket histograms as native histograms with custom buckets.
	ConvertHistogramsToNHCB bool `mapstructure:"convert_histograms_to_nhcb"`
	// DisableTargetInfo writes no target_info.
	DisableTargetInfo bool `mapstructure:"disable_target_info"`
	// CreatedTimestampZeroIngestion writes a zero sample at the start time of a cumulative series.
	CreatedTimestampZeroIngestion bool `mapstructure:"created_timestamp_zero_ingestion"`

	// SeriesCache bounds the cache from OTLP identity to series.
	SeriesCache SeriesCache `mapstructure:"series_cache"`

	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	RetryConfig configretry.BackOffConfig                                `mapstructure:"retry_on_failure"`
}

// SeriesCache bounds the memory of known series, some 100 bytes each.
type SeriesCache struct {
	// MaxSeries that are remembered. Series beyond it are stored all the same, only slower.
	MaxSeries int `mapstructure:"max_series"`
}

// Validate names every fault by its key.
func (c *Config) Validate() error {
	var errs []error
	strategies := []otlptranslator.TranslationStrategyOption{
		otlptranslator.UnderscoreEscapingWithSuffixes, otlptranslator.UnderscoreEscapingWithoutSuffixes,
		otlptranslator.NoUTF8EscapingWithSuffixes, otlptranslator.NoTranslation,
	}
	if !slices.Contains(strategies, otlptranslator.TranslationStrategyOption(c.TranslationStrategy)) {
		names := make([]string, len(strategies))
		for i, s := range strategies {
			names[i] = string(s)
		}
		errs = append(errs, fmt.Errorf("\"translation_strategy\" must be one of %s, is %q", strings.Join(names, ", "), c.TranslationStrategy))
	}
	if c.PromoteAllResourceAttributes && len(c.PromoteResourceAttributes) > 0 {
		errs = append(errs, errors.New("\"promote_all_resource_attributes\" and \"promote_resource_attributes\" exclude each other: set one of them"))
	}
	if !c.PromoteAllResourceAttributes && len(c.IgnoreResourceAttributes) > 0 {
		errs = append(errs, errors.New("\"ignore_resource_attributes\" needs \"promote_all_resource_attributes: true\""))
	}
	if c.SeriesCache.MaxSeries < 1 {
		errs = append(errs, fmt.Errorf("\"series_cache::max_series\" must be positive, is %d", c.SeriesCache.MaxSeries))
	}
	return errors.Join(errs...)
}

// otlp gives the keys as Prometheus' own configuration, on top of its defaults.
func (c *Config) otlp() promconfig.OTLPConfig {
	o := promconfig.DefaultOTLPConfig
	o.TranslationStrategy = otlptranslator.TranslationStrategyOption(c.TranslationStrategy)
	o.PromoteResourceAttributes = c.PromoteResourceAttributes
	o.PromoteAllResourceAttributes = c.PromoteAllResourceAttributes
	o.IgnoreResourceAttributes = c.IgnoreResourceAttributes
	o.KeepIdentifyingResourceAttributes = c.KeepIdentifyingResourceAttributes
	o.PromoteScopeMetadata = c.PromoteScopeMetadata
	o.ConvertHistogramsToNHCB = c.ConvertHistogramsToNHCB
	return o
}
