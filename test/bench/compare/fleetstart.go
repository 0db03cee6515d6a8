package main

import (
	"context"
	_ "embed"
	"os"
	"path/filepath"
	"strconv"

	"github.com/quantivista/monitoring/test/bench/server"
)

var (
	//go:embed fleet-agent.yaml
	fleetAgent []byte
	//go:embed fleet-gateway.yaml
	fleetGateway []byte
	//go:embed fleet-contrib.yaml
	fleetContrib []byte
	//go:embed fleet-shipped.yaml
	fleetShipped []byte
)

// fleetPorts are free ones on localhost.
type fleetPorts struct{ grpc, otlp, health, telemetry, api, scrapeAPI int }

// startAgent starts configs/sidecar.yaml.
func (f fleet) startAgent(ctx context.Context, dir string, gateway int) (*server.Server, fleetPorts, error) {
	shipped, err := os.ReadFile(filepath.Join("configs", "sidecar.yaml"))
	if err != nil {
		return nil, fleetPorts{}, err
	}
	return f.start(ctx, dir, [][]byte{shipped, fleetAgent}, "GATEWAY_ENDPOINT=localhost:"+strconv.Itoa(gateway))
}

// startGateway starts configs/gateway.yaml, or what a stock collector can run of it, with the sink for Jaeger and Loki. It
// keeps every trace, by the last of its policies if by no other.
func (f fleet) startGateway(ctx context.Context, dir string, s *sink) (*server.Server, fleetPorts, error) {
	shipped, err := os.ReadFile(filepath.Join("configs", "gateway.yaml"))
	if err != nil {
		return nil, fleetPorts{}, err
	}
	env := []string{
		"JAEGER_ENDPOINT=" + s.grpcAddress, "LOKI_ENDPOINT=" + s.url, "SAMPLING_PERCENTAGE=100", "SAMPLING_SPANS_PER_SECOND=1000000000",
	}
	if !f.shipped {
		contrib, err := contribGateway(shipped)
		if err != nil {
			return nil, fleetPorts{}, err
		}
		return f.start(ctx, dir, [][]byte{contrib, fleetGateway, fleetContrib}, env...)
	}
	configs, err := filepath.Abs("configs")
	if err != nil {
		return nil, fleetPorts{}, err
	}
	env = append(env, "RULE_FILES="+filepath.Join(configs, "rules", "*.yaml"), "ALERTMANAGER_CONFIG="+filepath.Join(configs, "alertmanager.yaml"))
	return f.start(ctx, dir, [][]byte{shipped, fleetGateway, fleetShipped}, env...)
}

// start runs the binary in a directory of its own, with configurations of which a later one changes the earlier.
func (f fleet) start(ctx context.Context, dir string, configs [][]byte, env ...string) (*server.Server, fleetPorts, error) {
	free, err := server.FreePorts(ctx, 6)
	if err != nil {
		return nil, fleetPorts{}, err
	}
	p := fleetPorts{free[0], free[1], free[2], free[3], free[4], free[5]}
	if err := os.Mkdir(dir, 0o750); err != nil {
		return nil, p, err
	}
	// Ours has the gate on by itself: it writes which policy kept a trace.
	args := []string{f.binary, "--feature-gates=processor.tailsamplingprocessor.recordpolicy"}
	for i, config := range configs {
		path := filepath.Join(dir, "config-"+strconv.Itoa(i)+".yaml")
		if err := os.WriteFile(path, config, 0o600); err != nil {
			return nil, p, err
		}
		args = append(args, "--config", path)
	}
	s, err := server.Start(ctx, server.Command{Dir: dir, Args: args, ReadyURL: local(p.health, "/"), Env: append([]string{
		"DATA_DIR=" + filepath.Join(dir, "data"),
		"BENCH_GRPC=" + strconv.Itoa(p.grpc), "BENCH_OTLP=" + strconv.Itoa(p.otlp), "BENCH_HEALTH=" + strconv.Itoa(p.health),
		"BENCH_TELEMETRY=" + strconv.Itoa(p.telemetry), "BENCH_API=" + strconv.Itoa(p.api), "BENCH_SCRAPE_API=" + strconv.Itoa(p.scrapeAPI),
	}, env...)})
	return s, p, err
}
