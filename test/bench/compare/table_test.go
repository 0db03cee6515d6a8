package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/test/bench/otlpload"
)

func rounds(cpu ...float64) []measurement {
	all := make([]measurement, 0, len(cpu))
	for _, seconds := range cpu {
		all = append(all, measurement{
			cpuSeconds: seconds, wallSeconds: 2, peakBytes: 100 << 20, diskBytes: 20_000,
			latencies: []time.Duration{time.Millisecond, 2 * time.Millisecond, 9 * time.Millisecond},
		})
	}
	return all
}

func TestTheTableGivesMediansAndRatios(t *testing.T) {
	var out strings.Builder
	o := options{rounds: 3, repeats: 1, shape: otlpload.Shape{Resources: 1, Series: 100, Samples: 10, Step: time.Second}}
	require.NoError(t, printTable(&out, []target{{name: "ours"}, {name: "theirs"}},
		[][]measurement{rounds(0.003, 0.001, 0.002), rounds(0.004, 0.1, 0.004)}, loadRows(o)))
	cells := func(row string) []string {
		for line := range strings.Lines(out.String()) {
			if strings.Contains(line, row) {
				var values []string
				for cell := range strings.SplitSeq(line, "|") {
					values = append(values, strings.TrimSpace(cell))
				}
				return values[2:5]
			}
		}
		return nil
	}
	assert.Equal(t, []string{"2.00", "4.00", "0.50"}, cells("CPU-seconds"))
	assert.Equal(t, []string{"20.00", "20.00", "1.00"}, cells("bytes a sample"))
	assert.Equal(t, []string{"2.00", "2.00", "1.00"}, cells("p50"))
	assert.Equal(t, []string{"9.00", "9.00", "1.00"}, cells("p99"))
}

func TestALoserOfSamplesDoesNotCount(t *testing.T) {
	whole := measurement{series: 10, samples: 100, rows: make([]int, len(queries()))}
	require.NoError(t, sameContent(whole, whole))
	short := whole
	short.samples--
	require.ErrorContains(t, sameContent(short, whole), "samples differ: 99 and 100")
}
