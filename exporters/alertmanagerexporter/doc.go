//go:generate mdatagen metadata.yaml

// Package alertmanagerexporter hands the alerts of a pipeline to the alertmanager extension, to external Alertmanagers,
// or to both.
package alertmanagerexporter
