package metricstoreextension

import (
	"time"

	"github.com/prometheus/prometheus/tsdb"
)

// tsdbOptions are the TSDB's defaults with the config over them.
func tsdbOptions(c *Config) *tsdb.Options {
	o := tsdb.DefaultOptions()
	o.RetentionDuration = time.Duration(c.Retention.Time).Milliseconds()
	o.MaxBytes = int64(c.Retention.Size)
	o.OutOfOrderTimeWindow = time.Duration(c.OutOfOrderTimeWindow).Milliseconds()
	o.MaxBlockDuration = maxBlockDuration(c).Milliseconds()
	o.EnableExemplarStorage = c.MaxExemplars > 0
	o.MaxExemplars = c.MaxExemplars
	if c.WALCompression != "none" {
		o.WALCompression = c.WALCompression
	}
	return o
}

// tsdbOptions tells the features, too.
func (s *embeddedStore) tsdbOptions() *tsdb.Options {
	o := tsdbOptions(s.cfg)
	o.FeatureRegistry = s.features
	return o
}

// maxBlockDuration follows Prometheus: a tenth of the retention, between one block and 31 days.
func maxBlockDuration(c *Config) time.Duration {
	if c.MaxBlockDuration > 0 {
		return time.Duration(c.MaxBlockDuration)
	}
	const longest = 31 * 24 * time.Hour
	smallest := time.Duration(tsdb.DefaultBlockDuration) * time.Millisecond
	if c.Retention.Time == 0 {
		return longest
	}
	return min(max(time.Duration(c.Retention.Time)/10, smallest), longest)
}
