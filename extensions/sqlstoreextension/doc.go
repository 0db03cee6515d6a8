//go:generate mdatagen metadata.yaml

// Package sqlstoreextension keeps alerts, incidents, rules and the health of services: in SQLite, or in PostgreSQL
// for several replicas.
package sqlstoreextension
