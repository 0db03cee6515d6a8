package metricstoreextension

import (
	"context"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gcPercent reads the setting of the process, which can only be read by setting it.
func gcPercent() int {
	percent := debug.SetGCPercent(100)
	debug.SetGCPercent(percent)
	return percent
}

func TestTheStoreSetsTheGCPercentWhileItRuns(t *testing.T) {
	for name, test := range map[string]struct {
		gogc          string
		percent, want int
	}{
		"by its key":            {percent: 42, want: 42},
		"not where it is 0":     {percent: 0, want: 123},
		"not where GOGC is set": {gogc: "123", percent: 42, want: 123},
		"not where GOGC is off": {gogc: "off", percent: 42, want: 123},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOGC", test.gogc)
			defer debug.SetGCPercent(debug.SetGCPercent(123))
			cfg := testConfig(t)
			cfg.GCPercent = test.percent
			store := newEmbeddedStore(cfg, testSettings())
			require.NoError(t, store.Start(context.Background(), newTestHost()))
			assert.Equal(t, test.want, gcPercent())
			require.NoError(t, store.Shutdown(context.Background()))
			assert.Equal(t, 123, gcPercent())
		})
	}
}
