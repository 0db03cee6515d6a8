//go:generate mdatagen metadata.yaml

// Package incidentexporter stores the alerts of a pipeline and correlates them into incidents.
package incidentexporter
