package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/quantivista/monitoring/test/bench/otlpload"
	"github.com/quantivista/monitoring/test/bench/server"
)

//go:embed logs.yaml
var logsConfig []byte

// logLines are sent in a round, logsInRequest in each request.
const (
	logLines      = 400_000
	logsInRequest = 500
)

// logsMeasurement of one exporter in one round.
type logsMeasurement struct {
	cpuSeconds, lokiSeconds, peakBytes float64
	bytes                              int64
}

// compareLogs compares the loki exporter with the Collector's own OTLP exporter, both of our binary, to the same Loki.
func compareLogs(ctx context.Context, _ []target, o options) (err error) {
	if o.loki, err = filepath.Abs(o.loki); err != nil {
		return err
	}
	targets := []target{{name: "loki"}, {name: "otlp_http"}}
	results, err := inTurns(ctx, "logs", targets, o, measureLogs)
	if err != nil {
		return err
	}
	const millions = float64(logLines) / 1e6
	err = printTable(os.Stdout, targets, results, []row[logsMeasurement]{
		{"CPU-seconds a million lines, collector", "%.2f", func(m logsMeasurement) float64 { return m.cpuSeconds / millions }},
		{"CPU-seconds a million lines, Loki", "%.2f", func(m logsMeasurement) float64 { return m.lokiSeconds / millions }},
		{"bytes a line on the wire", "%.1f", func(m logsMeasurement) float64 { return float64(m.bytes) / logLines }},
		{"peak resident memory of the collector, MiB", "%.0f", func(m logsMeasurement) float64 { return m.peakBytes / (1 << 20) }},
	})
	if err != nil {
		return err
	}
	_, err = fmt.Printf("\n%d lines of 10 services in requests of %d, batches of 2,000 to 8,000 lines; receiving included; median of %d rounds. %s\n",
		logLines, logsInRequest, o.rounds, machine())
	return err
}

func measureLogs(ctx context.Context, t target, o options) (m logsMeasurement, err error) {
	requests, err := otlpload.Logs(logLines, logsInRequest, 1, time.Now())
	if err != nil {
		return m, err
	}
	dir, err := os.MkdirTemp("", "compare-")
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	loki, lokiURL, err := startLoki(ctx, filepath.Join(dir, "loki"), o.loki)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, loki.Stop()) }()
	between, err := newCounted(ctx, lokiURL)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, between.server.Close()) }()
	collector, p, err := startExporting(ctx, dir, o.collector, t.name, between.url)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, collector.Stop()) }()

	before, beforeLoki, err := bothCPU(collector, loki)
	if err != nil {
		return m, err
	}
	if _, err := otlpload.Send(ctx, local(p.otlp, "/v1/logs"), requests); err != nil {
		return m, err
	}
	if err := awaitSent(ctx, local(p.telemetry, "/metrics"), logLines); err != nil {
		return m, err
	}
	after, afterLoki, err := bothCPU(collector, loki)
	m.cpuSeconds, m.lokiSeconds, m.bytes = after-before, afterLoki-beforeLoki, between.bytes.Load()
	if err == nil {
		m.peakBytes, err = collector.PeakMemory()
	}
	return m, err
}

func bothCPU(a, b *server.Server) (ofA, ofB float64, err error) {
	ofA, errA := a.CPU()
	ofB, errB := b.CPU()
	return ofA, ofB, errors.Join(errA, errB)
}

// startLoki starts one that takes whatever comes.
func startLoki(ctx context.Context, dir, binary string) (*server.Server, string, error) {
	if err := os.Mkdir(dir, 0o750); err != nil {
		return nil, "", err
	}
	config, err := filepath.Abs(filepath.Join("deploy", "stack", "loki.yaml"))
	if err != nil {
		return nil, "", err
	}
	free, err := server.FreePorts(ctx, 2)
	if err != nil {
		return nil, "", err
	}
	url := fmt.Sprintf("http://127.0.0.1:%d", free[0])
	s, err := server.Start(ctx, server.Command{
		Dir: dir, ReadyURL: url + "/ready",
		Args: []string{
			binary, "-config.file=" + config, "-config.expand-env=true", "-distributor.ingestion-rate-limit-mb=1000",
			"-distributor.ingestion-burst-size-mb=1000", "-ingester.per-stream-rate-limit=1GB", "-ingester.per-stream-rate-limit-burst=1GB",
		},
		Env: []string{"DATA_DIR=" + dir, "LOKI_HTTP_PORT=" + strconv.Itoa(free[0]), "LOKI_GRPC_PORT=" + strconv.Itoa(free[1])},
	})
	return s, url, err
}

// startExporting starts our binary with one of the exporters.
func startExporting(ctx context.Context, dir, binary, exporter, lokiURL string) (*server.Server, ports, error) {
	t := target{
		command: func(dir string, p ports) (args, env []string, err error) {
			config := filepath.Join(dir, "config.yaml")
			return []string{binary, "--config", config}, []string{
				"BENCH_OTLP=" + strconv.Itoa(p.otlp), "BENCH_HEALTH=" + strconv.Itoa(p.health), "BENCH_TELEMETRY=" + strconv.Itoa(p.telemetry),
				"BENCH_LOKI=" + lokiURL, "BENCH_EXPORTER=" + exporter,
			}, os.WriteFile(config, logsConfig, 0o600)
		},
		readyURL: func(p ports) string { return local(p.health, "/") },
	}
	return t.start(ctx, dir)
}
