package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// row of the table: what is measured, and its value in one measurement.
type row struct {
	name   string
	format string
	value  func(m measurement) float64
}

func rows(o options) []row {
	points := float64(o.shape.Points())
	return []row{
		{"CPU-seconds a million samples", "%.2f", func(m measurement) float64 { return m.cpuSeconds / points * 1e6 }},
		{"samples a second taken", "%.0f", func(m measurement) float64 { return points / m.wallSeconds }},
		{"peak resident memory, MiB", "%.0f", func(m measurement) float64 { return m.peakBytes / (1 << 20) }},
		{"bytes a sample on disk, before the first block", "%.2f", func(m measurement) float64 { return m.diskBytes / points }},
		{"query latency p50, ms", "%.2f", func(m measurement) float64 { return quantile(m.latencies, 0.50) }},
		{"query latency p99, ms", "%.2f", func(m measurement) float64 { return quantile(m.latencies, 0.99) }},
	}
}

// printTable gives, for each row, the median of all rounds for either target, and our share of the other's.
func printTable(w io.Writer, targets []target, results [][]measurement, o options) error {
	out := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	fmt.Fprintf(out, "| \t| %s\t| %s\t| ratio\t|\n", targets[0].name, targets[1].name)
	fmt.Fprint(out, "|---\t|---\t|---\t|---\t|\n")
	for _, r := range rows(o) {
		ours, theirs := median(results[0], r.value), median(results[1], r.value)
		fmt.Fprintf(out, "| %s\t| "+r.format+"\t| "+r.format+"\t| %.2f\t|\n", r.name, ours, theirs, ours/theirs)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	last := results[0][len(results[0])-1]
	_, err := fmt.Fprintf(w, "\n%d resources × %d series × %d samples %s apart, %d data points a request, %d requests at once; "+
		"median of %d rounds; %d queries × %d.\nBoth held %d series and %d samples. %d CPUs, %s, %s.\n",
		o.shape.Resources, o.shape.Series, o.shape.Samples, o.shape.Step, o.shape.Series, senders,
		o.rounds, len(queries()), o.repeats, last.series, last.samples, runtime.NumCPU(), cpuModel(), time.Now().UTC().Format(time.DateOnly))
	return err
}

func median(round []measurement, value func(measurement) float64) float64 {
	values := make([]float64, 0, len(round))
	for _, m := range round {
		values = append(values, value(m))
	}
	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}

// quantile gives the nearest-rank quantile in milliseconds.
func quantile(latencies []time.Duration, q float64) float64 {
	sorted := slices.Sorted(slices.Values(latencies))
	rank := int(q * float64(len(sorted)))
	return float64(sorted[min(rank, len(sorted)-1)].Microseconds()) / 1000
}
