package promapi

import (
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/util/features"
)

// enableFeatures tells what this API can do, as Prometheus' web package does for its own. The engine and the
// TSDB have told theirs to the same registry.
func enableFeatures(r features.Collector) {
	r.Enable(features.Prometheus, "server_mode")
	r.Disable(features.Prometheus, "agent_mode")
	r.Enable(features.Prometheus, labels.ImplementationName)
	r.Disable(features.API, "lifecycle")
	r.Disable(features.API, "admin")
	r.Enable(features.API, "remote_write_receiver")
	r.Disable(features.API, "otlp_write_receiver")
	for _, name := range []string{
		"label_values_match", // match[] of the values of a label
		"query_warnings",
		"query_stats",       // stats of queries
		"time_range_series", // start and end of series
		"time_range_labels", // start and end of labels
		"exclude_alerts",    // exclude_alerts of rules
	} {
		r.Enable(features.API, name)
	}
}
