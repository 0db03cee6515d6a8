//go:generate mdatagen metadata.yaml

// Package alertruleprocessor evaluates Prometheus rules on a metric store and emits their alerts as metrics.
package alertruleprocessor
