// Package metricstore is the port between the components that write or query metrics and the store that
// keeps them. The metric_store extension implements it, for its embedded TSDB and for a remote
// Prometheus-compatible API alike; everybody else sees only this package.
package metricstore
