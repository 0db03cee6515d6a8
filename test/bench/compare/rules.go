package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/quantivista/monitoring/test/bench/otlpload"
	"github.com/quantivista/monitoring/test/bench/server"
)

// The rules look back this far, and are evaluated this often.
const (
	rulesRange    = 2 * time.Minute
	rulesInterval = 15 * time.Second
	// loadTime is what it takes to send all samples, at most.
	loadTime = 2 * time.Minute
)

// ruleMeasurement of one target in one round.
type ruleMeasurement struct {
	// of a cycle, in which every rule is evaluated once
	cpuSeconds, evaluationSeconds float64
	peakBytes                     float64
}

// compareRules compares what it costs to evaluate rules.
func compareRules(ctx context.Context, targets []target, o options) error {
	results, err := inTurns(ctx, "rules", targets, o, measureRules)
	if err != nil {
		return err
	}
	err = printTable(os.Stdout, targets, results, []row[ruleMeasurement]{
		{"CPU-seconds a cycle", "%.2f", func(m ruleMeasurement) float64 { return m.cpuSeconds }},
		{"seconds that rules take, a cycle", "%.2f", func(m ruleMeasurement) float64 { return m.evaluationSeconds }},
		{"peak resident memory, MiB", "%.0f", func(m ruleMeasurement) float64 { return m.peakBytes / (1 << 20) }},
	})
	if err != nil {
		return err
	}
	_, err = fmt.Printf("\n%d rules in %d groups over %d series, %d each, half error ratios over rate(...[2m]), half max_over_time; "+
		"%d cycles, one each %s; median of %d rounds. %s\n",
		otlpload.Jobs, ruleGroups, otlpload.Jobs*otlpload.SeriesOfJob, otlpload.SeriesOfJob, o.cycles, rulesInterval, o.rounds, machine())
	return err
}

// measureRules sends all samples that the rules will see before their time, so that nothing but evaluating costs.
func measureRules(ctx context.Context, t target, o options) (m ruleMeasurement, err error) {
	dir, err := os.MkdirTemp("", "compare-")
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.WriteFile(filepath.Join(dir, "rules.yaml"), ruleFile(), 0o600); err != nil {
		return m, err
	}
	t = t.withRules(t)
	s, p, err := t.start(ctx, dir)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()

	measured := time.Duration(o.cycles) * rulesInterval
	shape := otlpload.Shape{Step: 15 * time.Second, End: time.Now().Add(loadTime + rulesInterval + measured)}
	shape.Samples = int(shape.End.Sub(time.Now().Add(-rulesRange))/shape.Step) + 1
	lanes, err := otlpload.Requests(shape, senders)
	if err != nil {
		return m, err
	}
	accepted, err := otlpload.Send(ctx, t.otlpURL(p), lanes)
	if err != nil {
		return m, err
	}
	if want := otlpload.Jobs * otlpload.SeriesOfJob * shape.Samples; accepted != int64(want) {
		return m, fmt.Errorf("%d of %d data points accepted", accepted, want)
	}
	if err := pass(ctx, rulesInterval); err != nil { // the first cycle that sees all
		return m, err
	}
	if err := m.evaluate(ctx, s, measured, o); err != nil {
		return m, err
	}
	if time.Now().After(shape.End) {
		return m, errors.New("the load took so long that the rules ran out of samples")
	}
	m.evaluationSeconds, err = newClient(t.apiURL(p)).evaluationTime(ctx)
	return m, err
}

// evaluate takes what a process spends while its rules are evaluated some times.
func (m *ruleMeasurement) evaluate(ctx context.Context, s *server.Server, measured time.Duration, o options) error {
	before, err := s.CPU()
	if err != nil {
		return err
	}
	if err := pass(ctx, measured); err != nil {
		return err
	}
	after, err := s.CPU()
	if err != nil {
		return err
	}
	m.cpuSeconds = (after - before) / float64(o.cycles)
	m.peakBytes, err = s.PeakMemory()
	return err
}

// pass lets time go by.
func pass(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
