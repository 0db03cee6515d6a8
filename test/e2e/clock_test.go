package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A sender's clock jumps. What cannot be stored is refused for good, so that nobody sends it again for ever, and
// counted by reason.
func TestAClockThatJumps(t *testing.T) {
	t.Parallel()
	c := startCollector(t, allInOne, scrapingOften())
	now := time.Now()
	c.send(gauges("shop", "clock", 0, 10, now, 1))

	for _, jump := range []struct {
		reason string
		at     time.Time
		value  float64
	}{
		{"too_old", now.Add(-3 * time.Hour), 2},
		{"out_of_bounds", now.Add(3 * time.Hour), 2},
		{"duplicate_timestamp", now, 2},
	} {
		status, answer, err := c.trySend(gauges("shop", "clock", 0, 10, jump.at, jump.value))
		require.NoError(t, err, jump.reason)
		assert.Equal(t, http.StatusBadRequest, status, "%s is not to be sent again: %s", jump.reason, answer)
		assert.Contains(t, answer, jump.reason)
		c.awaitSeries(fmt.Sprintf(`{__name__=~"otelcol_exporter_metric_store_rejected_data_points(_total)?", reason=%q} == 10`, jump.reason))
	}

	// A little back is within the window.
	c.send(gauges("shop", "clock", 0, 10, now.Add(-20*time.Minute), 3))
	// Of a batch with both, what can be stored is.
	mixed := gauges("shop", "clock", 0, 10, now.Add(-4*time.Hour), 4)
	gauges("shop", "clock", 10, 10, now, 4).ResourceMetrics().MoveAndAppendTo(mixed.ResourceMetrics())
	c.send(mixed)
	// The clock is right again.
	c.send(gauges("shop", "clock", 0, 20, now.Add(time.Second), 5))

	require.NoError(t, c.ready())
	assert.InDelta(t, 20, c.number("count(clock == 5)"), 0)
	stored := c.query(`clock{n="0"}[2h]`)
	require.Len(t, stored, 1)
	var values []float64
	for _, v := range stored[0].Values {
		values = append(values, v.value)
	}
	assert.Equal(t, []float64{3, 1, 5}, values)
	assert.NotEmpty(t, c.log().lines("Data points were not stored", "too_old"), "a line tells of the refused")
}

func TestWithoutAWindowWhatIsOutOfOrderIsRefused(t *testing.T) {
	t.Parallel()
	c := startCollector(t, allInOne, scrapingOften(), withOverlay("{extensions: {metric_store: {out_of_order_time_window: 0s}}}"))
	now := time.Now()
	c.send(gauges("shop", "clock", 0, 1, now, 1))
	status, answer, err := c.trySend(gauges("shop", "clock", 0, 1, now.Add(-time.Minute), 2))
	require.NoError(t, err)
	assert.Equal(t, http.StatusBadRequest, status, answer)
	assert.Contains(t, answer, "out_of_order")
	c.awaitSeries(`{__name__=~"otelcol_exporter_metric_store_rejected_data_points(_total)?", reason="out_of_order"} == 1`)
}
