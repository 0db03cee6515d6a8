// Package promtelemetry shows the metrics of a Prometheus registry among OpenTelemetry telemetry, under the
// same names. Libraries that we embed, such as the TSDB, keep their own metrics in a Prometheus registry; a
// user looks for them where the collector's own metrics are.
package promtelemetry
