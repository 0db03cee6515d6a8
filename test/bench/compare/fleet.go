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

// What is sent in a round. The traces are fewer than tail_sampling holds at once in the shipped configuration.
const (
	fleetLogs   = 200_000
	fleetTraces = 40_000
	fleetSpans  = fleetTraces * otlpload.SpansOfTrace
	// fleetTime is what either may take.
	fleetTime = 3 * time.Minute
)

// fleetMeasurement of an agent and a gateway in one round.
type fleetMeasurement struct {
	logs, spans, peakBytes spent
}

// spent is what both took: CPU-seconds, or bytes.
type spent struct{ agent, gateway float64 }

// compareFleet compares agents and gateways of our binary and of a stock collector: configured alike, and ours as shipped.
func compareFleet(ctx context.Context, _ []target, o options) error {
	stock := target{name: "stock"}
	alike, shipped := target{name: "ours, same parts"}, target{name: "ours, as shipped"}
	targets := []target{alike, stock, shipped}
	results, err := inTurns(ctx, "fleet", targets, o, func(ctx context.Context, t target, o options) (fleetMeasurement, error) {
		f := fleet{binary: o.collector}
		switch t.name {
		case stock.name:
			f.binary = o.stock
		case shipped.name:
			f.shipped = true
		}
		return f.measure(ctx)
	})
	if err != nil {
		return err
	}
	for i, ours := range []int{0, 2} {
		if i > 0 {
			fmt.Println()
		}
		err := printTable(os.Stdout, []target{targets[ours], stock}, [][]fleetMeasurement{results[ours], results[1]}, fleetRows())
		if err != nil {
			return err
		}
	}
	_, err = fmt.Printf("\n%d log records, then %d spans in %d traces, %d requests at once; every one delivered; median of %d rounds. %s\n",
		fleetLogs, fleetSpans, fleetTraces, senders, o.rounds, machine())
	return err
}

func fleetRows() []row[fleetMeasurement] {
	return []row[fleetMeasurement]{
		{"logs a CPU-second, agent", "%.0f", func(m fleetMeasurement) float64 { return fleetLogs / m.logs.agent }},
		{"logs a CPU-second, gateway", "%.0f", func(m fleetMeasurement) float64 { return fleetLogs / m.logs.gateway }},
		{"logs a CPU-second, both", "%.0f", func(m fleetMeasurement) float64 { return fleetLogs / (m.logs.agent + m.logs.gateway) }},
		{"spans a CPU-second, agent", "%.0f", func(m fleetMeasurement) float64 { return fleetSpans / m.spans.agent }},
		{"spans a CPU-second, gateway", "%.0f", func(m fleetMeasurement) float64 { return fleetSpans / m.spans.gateway }},
		{"spans a CPU-second, both", "%.0f", func(m fleetMeasurement) float64 { return fleetSpans / (m.spans.agent + m.spans.gateway) }},
		{"peak resident memory, agent, MiB", "%.0f", func(m fleetMeasurement) float64 { return m.peakBytes.agent / (1 << 20) }},
		{"peak resident memory, gateway, MiB", "%.0f", func(m fleetMeasurement) float64 { return m.peakBytes.gateway / (1 << 20) }},
	}
}

// fleet is an agent that sends to a gateway, both of one binary, and the gateway to a sink.
type fleet struct {
	binary string
	// shipped takes the gateway's configuration as it is, which only our binary can run.
	shipped bool
}

// measure sends logs, and when all have been delivered, spans.
func (f fleet) measure(ctx context.Context) (m fleetMeasurement, err error) {
	dir, err := os.MkdirTemp("", "compare-")
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	logs, err := otlpload.Logs(fleetLogs, 500, senders, time.Now())
	if err != nil {
		return m, err
	}
	sink, err := newSink(ctx)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, sink.close()) }()
	gateway, gatewayPorts, err := f.startGateway(ctx, filepath.Join(dir, "gateway"), sink)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, gateway.Stop()) }()
	agent, agentPorts, err := f.startAgent(ctx, filepath.Join(dir, "agent"), gatewayPorts.grpc)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, agent.Stop()) }()

	if m.logs, err = deliver(ctx, agent, gateway, local(agentPorts.otlp, "/v1/logs"), logs, &sink.logs); err != nil {
		return m, fmt.Errorf("logs: %w", err)
	}
	spans, err := otlpload.Spans(fleetTraces, senders, time.Now())
	if err != nil {
		return m, err
	}
	if m.spans, err = deliver(ctx, agent, gateway, local(agentPorts.otlp, "/v1/traces"), spans, &sink.spans); err != nil {
		return m, fmt.Errorf("spans: %w", err)
	}
	var errs [2]error
	m.peakBytes.agent, errs[0] = agent.PeakMemory()
	m.peakBytes.gateway, errs[1] = gateway.PeakMemory()
	return m, errors.Join(errs[:]...)
}

// deliver sends to the agent, waits until all has arrived behind the gateway, and gives the CPU-seconds that it took.
func deliver(ctx context.Context, agent, gateway *server.Server, url string, lanes otlpload.Lanes, arrived *arrivals) (took spent, err error) {
	ctx, cancel := context.WithTimeout(ctx, fleetTime)
	defer cancel()
	agentBefore, gatewayBefore, err := bothCPU(agent, gateway)
	if err != nil {
		return took, err
	}
	accepted, err := otlpload.Send(ctx, url, lanes)
	if err != nil {
		return took, err
	}
	if err := arrived.await(ctx, accepted); err != nil {
		return took, err
	}
	agentAfter, gatewayAfter, err := bothCPU(agent, gateway)
	return spent{agent: agentAfter - agentBefore, gateway: gatewayAfter - gatewayBefore}, err
}
