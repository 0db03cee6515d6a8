package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/quantivista/monitoring/test/bench/server"
)

// row of a table: what is measured, and its value in one measurement.
type row[M any] struct {
	name   string
	format string
	value  func(m M) float64
}

// printTable gives, for each row, the median of all rounds for either target, and our share of the other's.
func printTable[M any](w io.Writer, targets []target, results [][]M, rows []row[M]) error {
	out := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	fmt.Fprintf(out, "| \t| %s\t| %s\t| ratio\t|\n", targets[0].name, targets[1].name)
	fmt.Fprint(out, "|---\t|---\t|---\t|---\t|\n")
	for _, r := range rows {
		ours, theirs := median(results[0], r.value), median(results[1], r.value)
		fmt.Fprintf(out, "| %s\t| "+r.format+"\t| "+r.format+"\t| %.2f\t|\n", r.name, ours, theirs, ours/theirs)
	}
	return out.Flush()
}

// machine tells where and when.
func machine() string {
	return fmt.Sprintf("%d CPUs, %s, %s.", runtime.NumCPU(), server.CPUModel(), time.Now().UTC().Format(time.DateOnly))
}

func median[M any](round []M, value func(M) float64) float64 {
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
