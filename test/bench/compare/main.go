// Program compare puts the same OTLP load on our binary and on a real Prometheus, one after the other on the same
// machine, and prints what each took and how the two relate, as a Markdown table. Linux only: it reads /proc.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/quantivista/monitoring/test/bench/otlpload"
)

type options struct {
	collector, prometheus string
	rounds, repeats       int
	shape                 otlpload.Shape
}

func main() {
	var o options
	flag.StringVar(&o.collector, "collector", "bin/otelcol-quantivista", "our binary")
	flag.StringVar(&o.prometheus, "prometheus", ".tools/prometheus", "Prometheus' binary")
	flag.IntVar(&o.rounds, "rounds", 3, "how often each is measured; the median counts")
	flag.IntVar(&o.repeats, "repeats", 30, "how often each query is asked in a round")
	flag.IntVar(&o.shape.Resources, "resources", 100, "resources of the load")
	flag.IntVar(&o.shape.Series, "series", 1000, "series of a resource, a multiple of 10")
	flag.IntVar(&o.shape.Samples, "samples", 20, "samples of a series")
	flag.DurationVar(&o.shape.Step, "step", 15*time.Second, "time between two samples of a series")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	for _, binary := range []*string{&o.collector, &o.prometheus} {
		absolute, err := filepath.Abs(*binary)
		if err != nil {
			return err
		}
		if _, err := os.Stat(absolute); err != nil {
			return fmt.Errorf("%w: make build peers builds it", err)
		}
		*binary = absolute
	}
	targets := []target{collectorTarget(o.collector), prometheusTarget(o.prometheus)}
	results := make([][]measurement, len(targets))
	for round := range o.rounds {
		// Alternating, so that a machine that slows down slows both.
		for i, t := range targets {
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, o.rounds, t.name)
			m, err := measure(ctx, t, o)
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			results[i] = append(results[i], m)
		}
		if err := sameContent(results[0][round], results[1][round]); err != nil {
			return err
		}
	}
	return printTable(os.Stdout, targets, results, o)
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
