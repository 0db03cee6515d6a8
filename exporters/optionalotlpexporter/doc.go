//go:generate mdatagen metadata.yaml

// Package optionalotlpexporter sends traces and logs to an OTLP endpoint, or counts and drops them where none
// is set, so that one configuration serves with and without a trace or log store.
package optionalotlpexporter
