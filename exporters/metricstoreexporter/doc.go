//go:generate mdatagen metadata.yaml

// Package metricstoreexporter writes OTLP metrics into a metric store, under the names and labels that
// Prometheus' own OTLP endpoint would give them, and scraped metrics under the names that they were scraped by.
package metricstoreexporter
