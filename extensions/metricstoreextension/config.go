package metricstoreextension

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/alecthomas/units"
	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
)

// Config of the metric_store extension. Durations are Prometheus': 15d, 2h, 1h30m, 500ms.
type Config struct {
	// Directory holds the embedded TSDB. One process at a time.
	Directory string `mapstructure:"directory"`
	// Retention says when the oldest blocks are deleted, by whichever limit is reached first.
	Retention Retention `mapstructure:"retention"`
	// OutOfOrderTimeWindow is how much older than the newest sample of its series a sample may be. 0 takes none.
	OutOfOrderTimeWindow model.Duration `mapstructure:"out_of_order_time_window"`
	// MaxBlockDuration is the longest time range of a compacted block. 0 takes a tenth of the retention time, 31d at most.
	MaxBlockDuration model.Duration `mapstructure:"max_block_duration"`
	// WALCompression is none, snappy or zstd.
	WALCompression string `mapstructure:"wal_compression"`
	// MaxExemplars is how many exemplars are kept in memory, the oldest replaced first. 0 keeps none.
	MaxExemplars int64 `mapstructure:"max_exemplars"`
	// GCPercent is how much garbage the process gathers before it collects it, in percent of the memory in use.
	// 0 leaves Go's setting; the environment variable GOGC wins.
	GCPercent int `mapstructure:"gc_percent"`
	// Query limits every query.
	Query QueryLimits `mapstructure:"query"`
	// Remote, where set, queries a Prometheus-compatible API in place of an embedded TSDB; of the keys above
	// only query::timeout and query::lookback_delta apply then.
	Remote configoptional.Optional[confighttp.ClientConfig] `mapstructure:"remote"`
}

// Retention limits what is kept.
type Retention struct {
	// Time to keep a sample. 0 keeps it for ever, or until Size is reached.
	Time model.Duration `mapstructure:"time"`
	// Size of all blocks in bytes, with a unit of powers of two: 512MB, 50GB. 0 is no limit.
	Size units.Base2Bytes `mapstructure:"size"`
}

// QueryLimits are Prometheus' --query.* flags.
type QueryLimits struct {
	// Timeout aborts a query.
	Timeout model.Duration `mapstructure:"timeout"`
	// MaxSamples is how many samples one query may hold in memory, 16 bytes each and more for histograms.
	MaxSamples int `mapstructure:"max_samples"`
	// MaxConcurrency is how many queries run at once; further ones wait.
	MaxConcurrency int `mapstructure:"max_concurrency"`
	// LookbackDelta is how far back an instant selector looks for a sample.
	LookbackDelta model.Duration `mapstructure:"lookback_delta"`
}

const baseURL = "must be the base URL of a Prometheus-compatible API, such as http://mimir:8080/prometheus"

// Validate names every fault by its key.
func (c *Config) Validate() error {
	var errs []error
	fail := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("\"%s\" %s", key, fmt.Sprintf(format, args...)))
	}
	if c.Query.Timeout <= 0 {
		fail("query::timeout", "must be positive, is %s", c.Query.Timeout)
	}
	if c.Query.LookbackDelta <= 0 {
		fail("query::lookback_delta", "must be positive, is %s", c.Query.LookbackDelta)
	}
	if remote := c.Remote.Get(); remote != nil {
		// A URL that does not parse is not shown: it may hold a password.
		switch u, err := url.Parse(remote.Endpoint); {
		case err != nil:
			fail("remote::endpoint", "%s, and does not parse", baseURL)
		case u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
			fail("remote::endpoint", "%s, is %q", baseURL, u.Redacted())
		}
		return errors.Join(errs...)
	}
	if c.Directory == "" {
		fail("directory", "must be set")
	}
	if c.Retention.Time < 0 || c.Retention.Time > 0 && time.Duration(c.Retention.Time) < 2*time.Hour {
		fail("retention::time", "must be 0 (for ever) or at least 2h, the duration of the smallest block, is %s", c.Retention.Time)
	}
	if c.Retention.Size < 0 {
		fail("retention::size", "must not be negative, is %d", c.Retention.Size)
	}
	if c.OutOfOrderTimeWindow < 0 {
		fail("out_of_order_time_window", "must not be negative, is %s", c.OutOfOrderTimeWindow)
	}
	if c.MaxBlockDuration < 0 || c.MaxBlockDuration > 0 && time.Duration(c.MaxBlockDuration) < 2*time.Hour {
		fail("max_block_duration", "must be 0 (chosen from the retention) or at least 2h, is %s", c.MaxBlockDuration)
	}
	switch c.WALCompression {
	case "none", "snappy", "zstd":
	default:
		fail("wal_compression", "must be none, snappy or zstd, is %q", c.WALCompression)
	}
	if c.MaxExemplars < 0 {
		fail("max_exemplars", "must not be negative, is %d", c.MaxExemplars)
	}
	if c.GCPercent < 0 {
		fail("gc_percent", "must not be negative, is %d", c.GCPercent)
	}
	if c.Query.MaxSamples <= 0 {
		fail("query::max_samples", "must be positive, is %d", c.Query.MaxSamples)
	}
	if c.Query.MaxConcurrency <= 0 {
		fail("query::max_concurrency", "must be positive, is %d", c.Query.MaxConcurrency)
	}
	return errors.Join(errs...)
}
