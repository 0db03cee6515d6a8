//go:generate mdatagen metadata.yaml

// Package monitoringapiextension serves the REST API of api/openapi.yaml, its documentation, and Prometheus' own
// HTTP API on the same metric store.
package monitoringapiextension
