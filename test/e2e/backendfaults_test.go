package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBackendsAwayUnderLoad has Jaeger and Loki end under load, and then the agent and the gateway, as crashes do. What was
// acknowledged arrives once they are back; metrics and alerts do not wait for it.
func TestBackendsAwayUnderLoad(t *testing.T) {
	t.Parallel()
	j, l := startJaeger(t), startLoki(t)
	gateway := newCollector(t, "gateway.yaml", decidingSoon(), withJaeger(j), withEnv("LOKI_ENDPOINT="+l.endpoint()))
	require.NoError(t, os.Mkdir(filepath.Join(gateway.data, "rules"), 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(gateway.data, "rules", "orders.yaml"), []byte(`groups:
  - name: orders
    interval: 1s
    rules:
      - {alert: FewOrders, expr: min by (job) (orders) < 5, labels: {severity: page}}
`), 0o600))
	gateway.start()
	agent := startCollector(t, "sidecar.yaml", withEnv(fmt.Sprintf("GATEWAY_ENDPOINT=localhost:%d", gateway.otlpGRPC)))
	load := startSignals(agent, "shop")
	load.awaitMore(50)

	j.kill()
	l.kill()
	load.awaitMore(100)
	agent.send(gauges("shop", "orders", 0, 1, time.Now(), 3))
	assert.Equal(t, "FewOrders on shop", gateway.awaitIncident("open", "firing").Title, "metrics and alerts go on")

	agent.kill()
	agent.start()
	load.awaitMore(100)
	load.awaitDecided(gateway)
	gateway.kill()
	load.noSpans.Store(false)
	load.awaitMore(100) // The agent's queue takes it.
	gateway.start()
	load.awaitMore(50)

	j.start()
	l.start()
	load.awaitMore(50)
	load.end()
	load.requireLines(t, l)
	load.requireTraces(t, j, 0)
	agent.terminate()
	gateway.terminate()
}

// TestFullQueuesAreTold has queues that are full before the backends are back. Lines that they do not take are refused, so that
// the sender knows. Traces that sampling keeps have been acknowledged by then: those that the queue does not take are
// dropped, and counted. All the rest arrives, and metrics do not wait.
func TestFullQueuesAreTold(t *testing.T) {
	t.Parallel()
	j, l := newJaeger(t), newLoki(t)
	c := startCollector(t, "gateway.yaml", decidingSoon(), withReplaced("scrape_interval: 15s", "scrape_interval: 1s"), withReplaced("queue_size: 1000000", "queue_size: 100"),
		withReplaced("min_size: 2000", "min_size: 10"), withReplaced("max_size: 8000", "max_size: 100"),
		withReplaced("min_size: 1000000", "min_size: 1000"),
		withJaeger(j), withEnv("LOKI_ENDPOINT="+l.endpoint()))
	load := startSignals(c, "shop")
	load.awaitMore(50)
	load.awaitRefusal()
	load.end()
	c.awaitSeries(`otelcol_exporter_queue_size{data_type="logs"} / otelcol_exporter_queue_capacity > 0.8`)
	c.awaitSeries(`{__name__=~"otelcol_receiver_refused_log_records(_total)?"} > 0`)
	c.send(gauges("shop", "orders", 0, 1, time.Now(), 3))
	assert.InDelta(t, 3, c.number("orders"), 0, "metrics go on")

	load.awaitDecided(c)
	dropped, err := c.gauge("otelcol_exporter_enqueue_failed_spans", "optional_otlp/jaeger")
	require.NoError(t, err)
	assert.Positive(t, dropped)

	j.start()
	l.start()
	load.requireLines(t, l)
	load.requireTraces(t, j, int(dropped))
	c.terminate()
}
