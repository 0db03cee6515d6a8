//go:generate mdatagen metadata.yaml

// Package otlpreceiver takes OTLP by gRPC and by HTTP: the Collector's otlp receiver, with its configuration and its
// answers, which spends less on metrics (internal/decode) and on bodies.
package otlpreceiver
