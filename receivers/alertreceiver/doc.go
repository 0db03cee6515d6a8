//go:generate mdatagen metadata.yaml

// Package alertreceiver takes the alerts of POST /api/v1/alerts, and those that are sent as to an Alertmanager, into a
// pipeline.
package alertreceiver
