package lokiexporter

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

const (
	// pushPath is where Loki takes pushes.
	pushPath = "/loki/api/v1/push"
	// tenantHeader names Loki's tenant.
	tenantHeader = "X-Scope-OrgID"
)

// Config of the loki exporter.
type Config struct {
	// ClientConfig has the endpoint: Loki's base URL, or the URL of its push API. Empty drops everything.
	confighttp.ClientConfig `mapstructure:",squash"`
	// Hint ends the log line that says that logs are dropped: what to set, in the words of the user's setup.
	Hint string `mapstructure:"hint"`

	// Tenant is whose the logs are, where it depends on the logs.
	Tenant TenantConfig `mapstructure:"tenant"`
	// Labels make the streams. Few, and of few values.
	Labels []LabelConfig `mapstructure:"labels"`
	// Cardinality guards Loki's index.
	Cardinality CardinalityConfig `mapstructure:"cardinality"`
	// Limits are Loki's.
	Limits LimitsConfig `mapstructure:"limits"`

	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	RetryConfig configretry.BackOffConfig                                `mapstructure:"retry_on_failure"`
}

// TenantConfig takes the tenant from the logs.
type TenantConfig struct {
	// From lists sources; the first that is not empty is taken.
	From []Source `mapstructure:"from"`
	// Default is taken where all are empty. Empty sends no tenant.
	Default string `mapstructure:"default"`
}

// CardinalityConfig bounds the values of each label.
type CardinalityConfig struct {
	// MaxValues of a label in a window. One that has more is structured metadata until the window ends.
	MaxValues int `mapstructure:"max_values"`
	// Window is how long values are remembered.
	Window time.Duration `mapstructure:"window"`
}

// LimitsConfig are limits of Loki, by which lines are cut and pushes split. Sizes are in bytes; 0 is no limit.
type LimitsConfig struct {
	// LineSize is limits_config::max_line_size.
	LineSize int `mapstructure:"line_size"`
	// LabelValueSize is limits_config::max_label_value_length.
	LabelValueSize int `mapstructure:"label_value_size"`
	// StructuredMetadataSize is limits_config::max_structured_metadata_size.
	StructuredMetadataSize int `mapstructure:"structured_metadata_size"`
	// StructuredMetadataEntries is limits_config::max_structured_metadata_entries_count.
	StructuredMetadataEntries int `mapstructure:"structured_metadata_entries"`
	// PushSize of one push, uncompressed; under limits_config::ingestion_burst_size_mb, or Loki never takes it.
	PushSize int `mapstructure:"push_size"`
}

// Validate names every fault by its key.
func (c *Config) Validate() error {
	errs := []error{validateLabels(c.Labels), c.validateTenant(), c.validateSizes()}
	if c.Endpoint != "" {
		if _, err := pushURL(c.Endpoint); err != nil {
			errs = append(errs, err)
		}
	}
	if c.Compression != "" {
		errs = append(errs, errors.New(`"compression" must be left out: pushes are compressed by snappy always`))
	}
	if c.Timeout < 0 {
		errs = append(errs, fmt.Errorf(`"timeout" must not be negative, is %s`, c.Timeout))
	}
	return errors.Join(errs...)
}

func (c *Config) validateSizes() error {
	var errs []error
	for _, size := range []struct {
		key   string
		value int
	}{
		{"limits::line_size", c.Limits.LineSize},
		{"limits::label_value_size", c.Limits.LabelValueSize},
		{"limits::structured_metadata_size", c.Limits.StructuredMetadataSize},
		{"limits::structured_metadata_entries", c.Limits.StructuredMetadataEntries},
		{"limits::push_size", c.Limits.PushSize},
	} {
		if size.value < 0 {
			errs = append(errs, fmt.Errorf("%q must be positive, or 0 for no limit, is %d", size.key, size.value))
		}
	}
	if c.Cardinality.MaxValues < 1 {
		errs = append(errs, fmt.Errorf(`"cardinality::max_values" must be positive, is %d`, c.Cardinality.MaxValues))
	}
	if c.Cardinality.Window <= 0 {
		errs = append(errs, fmt.Errorf(`"cardinality::window" must be positive, such as 24h, is %s`, c.Cardinality.Window))
	}
	return errors.Join(errs...)
}

func (c *Config) validateTenant() error {
	var errs []error
	for i, source := range c.Tenant.From {
		if err := source.validate(); err != nil {
			errs = append(errs, fmt.Errorf("\"tenant::from::%d\" %w", i, err))
		}
	}
	if c.Tenant.Default == "" && len(c.Tenant.From) == 0 {
		return errors.Join(errs...)
	}
	for name := range c.Headers.Iter {
		if http.CanonicalHeaderKey(name) == http.CanonicalHeaderKey(tenantHeader) {
			errs = append(errs, fmt.Errorf(`"headers" and "tenant" both set the tenant: leave %s out, or "tenant"`, tenantHeader))
		}
	}
	return errors.Join(errs...)
}

// pushURL gives the URL to push to for a base URL, or for that URL itself.
func pushURL(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		// The endpoint itself is not repeated: it may carry a password.
		return "", errors.New(`"endpoint" must be Loki's http or https URL, such as http://localhost:3100`)
	}
	u.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), pushPath) + pushPath
	return u.String(), nil
}
