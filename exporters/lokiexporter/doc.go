//go:generate mdatagen metadata.yaml

// Package lokiexporter sends logs to Loki by its push API: few labels, everything else as structured metadata, and only
// the lines that Loki refuses are dropped.
package lokiexporter
