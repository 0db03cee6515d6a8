//go:generate mdatagen metadata.yaml

// Package alertmanagerextension owns one Alertmanager: it routes, groups, mutes and notifies.
package alertmanagerextension
