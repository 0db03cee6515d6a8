package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/quantivista/monitoring/test/bench/server"
)

var (
	//go:embed collector.yaml
	collectorConfig []byte
	//go:embed rules.yaml
	rulesConfig []byte
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
	// withRules gives the target that evaluates rules.yaml in its directory, if there is one, too.
	withRules func(target) target
	// withNotifications gives the target that does so and sends the alerts by alertmanager.yaml in its directory. What it
	// needs beside it runs until stop is called.
	withNotifications func(ctx context.Context, t target, dir string, o options) (_ target, stop func() error, _ error)
	// data is the directory, below the server's own, that holds its samples.
	data string
}

// ports are free ones on localhost.
type ports struct{ otlp, api, health, telemetry int }

// start runs the target in dir, on free ports, and waits until it is ready.
func (t *target) start(ctx context.Context, dir string) (*server.Server, ports, error) {
	free, err := server.FreePorts(ctx, 4)
	if err != nil {
		return nil, ports{}, err
	}
	p := ports{free[0], free[1], free[2], free[3]}
	args, env, err := t.command(dir, p)
	if err != nil {
		return nil, p, err
	}
	s, err := server.Start(ctx, server.Command{Dir: dir, Args: args, Env: env, ReadyURL: t.readyURL(p)})
	return s, p, err
}

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
		withRules: func(t target) target {
			return t.with("rules-config.yaml", rulesConfig)
		},
		withNotifications: alone,
		data:              "metrics",
	}
}

// with gives a collector a further configuration.
func (t target) with(name string, config []byte) target {
	command := t.command
	t.command = func(dir string, p ports) (args, env []string, err error) {
		args, env, err = command(dir, p)
		if err != nil {
			return nil, nil, err
		}
		path := filepath.Join(dir, name)
		return append(args, "--config", path), env, os.WriteFile(path, config, 0o600)
	}
	return t
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
		readyURL:  func(p ports) string { return local(p.api, "/-/ready") },
		otlpURL:   func(p ports) string { return local(p.api, "/api/v1/otlp/v1/metrics") },
		apiURL:    func(p ports) string { return local(p.api, "/api/v1") },
		withRules: func(t target) target { return t },

		withNotifications: besideAlertmanager,
		data:              "metrics",
	}
}
