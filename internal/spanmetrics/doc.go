// Package spanmetrics reads what the connectors spanmetrics and servicegraph make of traces, from the metric store: calls,
// errors and durations by operation, and which service calls which. They see every span, whatever is sampled later, and
// they stay as long as metrics do.
package spanmetrics
