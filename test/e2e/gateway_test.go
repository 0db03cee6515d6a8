package e2e

import (
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
	c := startCollector(t, "gateway.yaml", withEnv("JAEGER_ENDPOINT="+at(jaeger, "")))
	c.sendSpan("shop")
	c.send(gauges("shop", "orders", 0, 10, time.Now(), 1))
	await(t, "the span to be queued", func() error {
		size, err := c.gauge("otelcol_exporter_queue_size")
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
