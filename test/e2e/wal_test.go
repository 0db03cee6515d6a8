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

func TestACorruptedWriteAheadLogIsRepaired(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		segment int // to corrupt, in its middle
	}{
		// A start begins a new segment: 0 is of the first run, 1 of the second.
		{"in a closed segment", 0},
		{"in the last segment", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := startCollector(t, allInOne)
			now := time.Now()
			c.writeBatches(0, now)
			c.kill()
			c.start()
			c.writeBatches(1, now)
			c.kill()
			flipBytes(t, filepath.Join(c.data, "metrics", "wal", fmt.Sprintf("%08d", test.segment)))

			c.start()
			assert.NotEmpty(t, c.log().lines("warn", "write-ahead log was torn and is repaired"), "a line tells of the repair")
			for run := range test.segment {
				assert.InDelta(t, batches*batchSeries, c.number(fmt.Sprintf(`count({__name__=~"run_%d_.*"})`, run)), 0, "run %d lies before the fault", run)
			}
			assert.InDelta(t, batchSeries, c.number(fmt.Sprintf(`count(run_%d_0)`, test.segment)), 0, "the first batch of the segment lies before the fault")
			assert.Less(t, c.number(fmt.Sprintf(`count({__name__=~"run_%d_.*"})`, test.segment)), float64(batches*batchSeries), "the fault is where it was meant to be")

			c.writeBatches(2, now)
			c.kill()
			c.start()
			assert.Empty(t, c.log().lines("repair"), "the second start is clean")
			assert.InDelta(t, batches*batchSeries, c.number(`count({__name__=~"run_2_.*"})`), 0, "written after the repair")
			assert.InDelta(t, batchSeries, c.number(fmt.Sprintf(`count(run_%d_0)`, test.segment)), 0)
		})
	}
}

// batches is how many writeBatches writes, of batchSeries each: several pages of the log.
const batches, batchSeries = 20, 1000

// writeBatches writes batches of new series, in requests of their own.
func (c *collector) writeBatches(run int, now time.Time) {
	c.t.Helper()
	for i := range batches {
		c.send(gauges("crash", fmt.Sprintf("run_%d_%d", run, i), 0, batchSeries, now, 1))
	}
}

// flipBytes spoils the middle of a file.
func flipBytes(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Greater(t, len(text), 64<<10, "several pages")
	for i := range 16 {
		text[len(text)/2+i] ^= 0xff
	}
	require.NoError(t, os.WriteFile(file, text, 0o600))
}
