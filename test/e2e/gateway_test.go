package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// The gateway acknowledges traces that Jaeger cannot take yet: its queue is on disk, and outlives it.
func TestTheGatewaysQueueSurvivesAKill(t *testing.T) {
	t.Parallel()
	jaeger := freePort(t) // Nobody listens.
	c := startCollector(t, "gateway.yaml", withEnv("JAEGER_ENDPOINT="+at(jaeger, ""), "SAMPLING_PERCENTAGE=100"), decidingSoon())
	c.sendSpan("shop")
	c.send(gauges("shop", "orders", 0, 10, time.Now(), 1))
	await(t, "the span to be queued", func() error {
		size, err := c.gauge("otelcol_exporter_queue_size", `data_type="traces"`)
		if err != nil {
			return err
		}
		return atLeast(int(size), 1)
	})
	c.kill()

	arrived := newSinkAt(t, jaeger)
	c.start()
	traces := ptraceotlp.NewExportRequest()
	require.NoError(t, traces.UnmarshalProto(arrived.await(t, "/v1/traces", 1)[0]))
	assert.Equal(t, 1, traces.Traces().SpanCount())
	assert.InDelta(t, 10, c.number("count(orders)"), 0, "and the metrics are in the store")
}

// What an agent sends raises an alert by a rule of a file, and an incident, on the gateway.
func TestTheGatewayMakesIncidents(t *testing.T) {
	t.Parallel()
	c := newCollector(t, "gateway.yaml")
	folder := filepath.Join(c.data, "rules")
	require.NoError(t, os.MkdirAll(folder, 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "orders.yaml"), []byte(`groups:
  - name: orders
    interval: 1s
    rules:
      - alert: FewOrders
        expr: min by (job) (orders) < 5
        labels: {severity: page}
`), 0o600))
	c.start()
	c.send(gauges("shop", "orders", 0, 1, time.Now(), 3))
	open := c.awaitIncident("open", "firing")
	assert.Equal(t, "FewOrders on shop", open.Title)
	assert.Equal(t, "critical", open.Severity)
	assert.Equal(t, []string{"shop"}, open.AffectedServices)
	c.send(gauges("shop", "orders", 0, 1, time.Now(), 7))
	assert.Equal(t, open.ID, c.awaitIncident("mitigated", "resolved").ID)
	c.terminate()
}
