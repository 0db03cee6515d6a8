package main

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// compareLoad compares what it costs to take samples and to answer queries.
func compareLoad(ctx context.Context, targets []target, o options) error {
	results, err := inTurns(ctx, "load", targets, o, measure)
	if err != nil {
		return err
	}
	for round := range o.rounds {
		if err := sameContent(results[0][round], results[1][round]); err != nil {
			return err
		}
	}
	if err := printTable(os.Stdout, targets, results, loadRows(o)); err != nil {
		return err
	}
	last := results[0][len(results[0])-1]
	_, err = fmt.Printf("\n%d resources × %d series × %d samples %s apart, %d data points a request, %d requests at once; "+
		"median of %d rounds; %d queries × %d.\nBoth held %d series and %d samples. %s\n",
		o.shape.Resources, o.shape.Series, o.shape.Samples, o.shape.Step, o.shape.Series, senders,
		o.rounds, len(queries()), o.repeats, last.series, last.samples, machine())
	return err
}

func loadRows(o options) []row[measurement] {
	points := float64(o.shape.Points())
	return []row[measurement]{
		{"CPU-seconds a million samples", "%.2f", func(m measurement) float64 { return m.cpuSeconds / points * 1e6 }},
		{"samples a second taken", "%.0f", func(m measurement) float64 { return points / m.wallSeconds }},
		{"peak resident memory, MiB", "%.0f", func(m measurement) float64 { return m.peakBytes / (1 << 20) }},
		{"bytes a sample on disk, before the first block", "%.2f", func(m measurement) float64 { return m.diskBytes / points }},
		{"query latency p50, ms", "%.2f", func(m measurement) float64 { return quantile(m.latencies, 0.50) }},
		{"query latency p99, ms", "%.2f", func(m measurement) float64 { return quantile(m.latencies, 0.99) }},
	}
}

// sameContent makes sure that nobody wins by losing samples.
func sameContent(a, b measurement) error {
	var errs []error
	if a.series != b.series {
		errs = append(errs, fmt.Errorf("series differ: %d and %d", a.series, b.series))
	}
	if a.samples != b.samples {
		errs = append(errs, fmt.Errorf("samples differ: %d and %d", a.samples, b.samples))
	}
	for i, q := range queries() {
		if a.rows[i] != b.rows[i] {
			errs = append(errs, fmt.Errorf("%s: answers of %d and %d rows", q.expr, a.rows[i], b.rows[i]))
		}
	}
	return errors.Join(errs...)
}
