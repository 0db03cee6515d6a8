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

// senders is how many requests are in flight.
const senders = 2

// measurement of one target in one round.
type measurement struct {
	// of the load phase
	cpuSeconds, wallSeconds, peakBytes, diskBytes float64
	// what the store then holds
	series, samples int
	// latencies of all queries, each asked often, and the rows of each answer
	latencies []time.Duration
	rows      []int
}

func measure(ctx context.Context, t target, o options) (m measurement, err error) {
	o.shape.End = time.Now().Truncate(time.Second)
	numbers, err := otlpload.Numbers(o.shape, senders)
	if err != nil {
		return m, err
	}
	dir, err := os.MkdirTemp("", "compare-")
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, p, err := t.start(ctx, dir)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()

	if err := m.load(ctx, s, t.otlpURL(p), numbers, o.shape); err != nil {
		return m, err
	}
	if m.diskBytes, err = server.DiskUsage(filepath.Join(dir, t.data)); err != nil {
		return m, err
	}
	err = m.ask(ctx, t, p, o)
	return m, err
}

// load sends the numbers and takes what the process spent on it.
func (m *measurement) load(ctx context.Context, s *server.Server, url string, lanes otlpload.Lanes, shape otlpload.Shape) error {
	before, err := s.CPU()
	if err != nil {
		return err
	}
	started := time.Now()
	accepted, err := otlpload.Send(ctx, url, lanes)
	if err != nil {
		return err
	}
	m.wallSeconds = time.Since(started).Seconds()
	if accepted != int64(shape.Points()) {
		return fmt.Errorf("%d of %d data points accepted", accepted, shape.Points())
	}
	after, err := s.CPU()
	if err != nil {
		return err
	}
	m.cpuSeconds = after - before
	m.peakBytes, err = s.PeakMemory()
	return err
}

// ask counts what the store holds and times the queries. The histograms come only now: a histogram is many
// samples to one data point, which would blur the measure of the load.
func (m *measurement) ask(ctx context.Context, t target, p ports, o options) error {
	client := newClient(t.apiURL(p))
	span := time.Duration(o.shape.Samples) * o.shape.Step
	at := o.shape.End
	var err error
	if m.series, m.samples, err = client.content(ctx, at, span); err != nil {
		return err
	}
	if want := o.shape.Points(); m.samples != want {
		return fmt.Errorf("holds %d samples of %d", m.samples, want)
	}
	histograms, err := otlpload.Histograms(o.shape)
	if err != nil {
		return err
	}
	if _, err := otlpload.Send(ctx, t.otlpURL(p), histograms); err != nil {
		return err
	}
	for _, q := range queries() {
		var rows int
		for range o.repeats {
			started := time.Now()
			if rows, err = client.rows(ctx, q, at, span); err != nil {
				return fmt.Errorf("%s: %w", q.expr, err)
			}
			m.latencies = append(m.latencies, time.Since(started))
		}
		if rows == 0 {
			return fmt.Errorf("%s: the answer is empty", q.expr)
		}
		m.rows = append(m.rows, rows)
	}
	return nil
}
