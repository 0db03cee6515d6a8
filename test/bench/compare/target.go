package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

var (
	//go:embed collector.yaml
	collectorConfig []byte
	//go:embed prometheus.yaml
	prometheusConfig []byte
)

// target is a server under load, and how to start it in an empty directory.
type target struct {
	name string
	// command gives the arguments, of which the first is the binary, and the environment to add.
	command func(dir string, p ports) (args, env []string, err error)
	// paths on its HTTP ports
	readyURL, otlpURL, apiURL func(p ports) string
	// data is the directory, below the server's own, that holds its samples.
	data string
}

// ports are free ones on localhost.
type ports struct{ otlp, api, health, telemetry int }

func local(port int, path string) string { return fmt.Sprintf("http://localhost:%d%s", port, path) }

func collectorTarget(binary string) target {
	return target{
		name: "otelcol-quantivista",
		command: func(dir string, p ports) (args, env []string, err error) {
			config := filepath.Join(dir, "config.yaml")
			return []string{binary, "--config", config}, []string{
				"BENCH_OTLP=" + strconv.Itoa(p.otlp),
				"BENCH_API=" + strconv.Itoa(p.api),
				"BENCH_HEALTH=" + strconv.Itoa(p.health),
				"BENCH_TELEMETRY=" + strconv.Itoa(p.telemetry),
			}, os.WriteFile(config, collectorConfig, 0o600)
		},
		readyURL: func(p ports) string { return local(p.health, "/") },
		otlpURL:  func(p ports) string { return local(p.otlp, "/v1/metrics") },
		apiURL:   func(p ports) string { return local(p.api, "/prometheus/api/v1") },
		data:     "metrics",
	}
}

func prometheusTarget(binary string) target {
	return target{
		name: "Prometheus",
		command: func(dir string, p ports) (args, env []string, err error) {
			config := filepath.Join(dir, "prometheus.yaml")
			return []string{
				binary,
				"--config.file=" + config,
				"--storage.tsdb.path=" + filepath.Join(dir, "metrics"),
				"--web.listen-address=localhost:" + strconv.Itoa(p.api),
				"--web.enable-otlp-receiver",
			}, nil, os.WriteFile(config, prometheusConfig, 0o600)
		},
		readyURL: func(p ports) string { return local(p.api, "/-/ready") },
		otlpURL:  func(p ports) string { return local(p.api, "/api/v1/otlp/v1/metrics") },
		apiURL:   func(p ports) string { return local(p.api, "/api/v1") },
		data:     "metrics",
	}
}
