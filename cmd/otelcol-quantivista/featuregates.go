// Command otelcol-quantivista is the distribution; but for this file the builder generates it.
package main

import (
	"fmt"
	"os"

	"go.opentelemetry.io/collector/featuregate"
)

// init turns on what the shipped configurations need of contrib's feature gates: that tail_sampling writes which of its
// policies kept a trace. It runs before the command line is read, whose --feature-gates wins. docs/adr/0020 says why here.
func init() {
	const recordPolicy = "processor.tailsamplingprocessor.recordpolicy"
	if err := featuregate.GlobalRegistry().Set(recordPolicy, true); err != nil {
		fmt.Fprintln(os.Stderr, "the reason of sampling is not recorded:", err)
	}
}
