// Package ruleset gathers rule groups in the Prometheus format from where users keep them, and gives them to
// Prometheus' rule manager.
package ruleset
