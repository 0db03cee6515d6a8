//go:generate mdatagen metadata.yaml

// Package custommetricsreceiver takes the metrics of POST /api/v1/metrics/custom into a pipeline.
package custommetricsreceiver
