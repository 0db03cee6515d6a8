//go:generate mdatagen metadata.yaml

// Package metricstoreextension keeps metrics and answers PromQL: in an embedded Prometheus TSDB, or by the
// query API of any Prometheus-compatible cluster.
package metricstoreextension
