// Program compare puts the same OTLP load, and then the same rules, on our binary and on a real Prometheus, and logs and spans
// on ours and on a stock collector, one after the other on the same machine, and prints what each took and how the two relate,
// as Markdown tables.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/quantivista/monitoring/test/bench/otlpload"
	"github.com/quantivista/monitoring/test/bench/server"
)

type options struct {
	collector, stock, prometheus, alertmanager, loki string
	cpuProfile                                       string
	only                                             string
	rounds, repeats                                  int
	shape                                            otlpload.Shape
	cycles                                           int
}

func main() {
	var o options
	flag.StringVar(&o.collector, "collector", "bin/otelcol-quantivista", "our binary")
	flag.StringVar(&o.stock, "stock", ".tools/otelcol-stock", "a stock collector's binary")
	flag.StringVar(&o.prometheus, "prometheus", ".tools/prometheus", "Prometheus' binary")
	flag.StringVar(&o.alertmanager, "alertmanager", ".tools/alertmanager", "Alertmanager's binary")
	flag.StringVar(&o.loki, "loki", ".tools/loki", "Loki's binary")
	flag.StringVar(&o.cpuProfile, "cpuprofile", "", "compare nothing: write a CPU profile of our binary in one round to this file")
	flag.StringVar(&o.only, "only", "", "compare load, rules, notify, logs or fleet only")
	flag.IntVar(&o.cycles, "cycles", 4, "how often all rules are evaluated while they are measured")
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

func run(ctx context.Context, o options) (err error) {
	dir, err := os.MkdirTemp("", "compare-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if o.collector, err = server.CopyBinary(o.collector, dir); err != nil {
		return err
	}
	if o.cpuProfile != "" {
		return record(ctx, o)
	}
	cases := []struct {
		name string
		// peers beside our binary
		peers   []*string
		compare func(context.Context, []target, options) error
	}{
		{"load", []*string{&o.prometheus}, compareLoad},
		{"rules", []*string{&o.prometheus}, compareRules},
		{"notify", []*string{&o.prometheus, &o.alertmanager}, compareNotify},
		{"logs", nil, compareLogs},
		{"fleet", []*string{&o.stock}, compareFleet},
	}
	copied := map[*string]bool{}
	for _, c := range cases {
		if o.only != "" && o.only != c.name {
			continue
		}
		for _, peer := range c.peers {
			if copied[peer] {
				continue
			}
			copied[peer] = true
			if *peer, err = server.CopyBinary(*peer, dir); err != nil {
				return err
			}
		}
		targets := []target{collectorTarget(o.collector), prometheusTarget(o.prometheus)}
		if err := c.compare(ctx, targets, o); err != nil {
			return err
		}
	}
	return nil
}

// inTurns measures all targets, round by round, so that a machine that slows down slows all.
func inTurns[M any](ctx context.Context, what string, targets []target, o options, measure func(context.Context, target, options) (M, error)) ([][]M, error) {
	results := make([][]M, len(targets))
	for round := range o.rounds {
		for i, t := range targets {
			fmt.Fprintf(os.Stderr, "%s, round %d of %d: %s\n", what, round+1, o.rounds, t.name)
			m, err := measure(ctx, t, o)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t.name, err)
			}
			results[i] = append(results[i], m)
		}
	}
	return results, nil
}
