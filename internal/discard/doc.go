// Package discard takes the place of an exporter that has no endpoint: it counts and drops.
package discard
