// Package promclient asks a Prometheus-compatible HTTP API and gives values of Prometheus' engine.
//
// The official client gives values of another model, without the informations beside the warnings, and reads
// answers of any size; the engine's are what rules and this product's API work with.
package promclient
