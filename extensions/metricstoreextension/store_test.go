package metricstoreextension

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/quantivista/monitoring/extensions/metricstoreextension/internal/metadata"
	"github.com/quantivista/monitoring/internal/metricstore"
)

// testHost records the status events of an extension.
type testHost struct {
	component.Host
	mu     sync.Mutex
	events []*componentstatus.Event
}

func newTestHost() *testHost { return &testHost{Host: componenttest.NewNopHost()} }

func (h *testHost) Report(e *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

// last gives the newest event, of status None before the first.
func (h *testHost) last() *componentstatus.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.events) == 0 {
		return componentstatus.NewEvent(componentstatus.StatusNone)
	}
	return h.events[len(h.events)-1]
}

func (h *testHost) status() componentstatus.Status { return h.last().Status() }

func testSettings() extension.Settings { return extensiontest.NewNopSettings(metadata.Type) }

// testConfig is the default config on a directory of this test.
func testConfig(t testing.TB) *Config {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.Directory = filepath.Join(t.TempDir(), "metrics")
	return cfg
}

// startStore starts an embedded store, which the end of the test shuts down.
func startStore(t testing.TB, cfg *Config, change ...func(*embeddedStore)) (*embeddedStore, *testHost) {
	t.Helper()
	require.NoError(t, cfg.Validate())
	store := newEmbeddedStore(cfg, testSettings())
	for _, c := range change {
		c(store)
	}
	host := newTestHost()
	require.NoError(t, store.Start(context.Background(), host))
	t.Cleanup(func() { require.NoError(t, store.Shutdown(context.Background())) })
	return store, host
}

// sample of a series named by its labels, at a time.
type sample struct {
	labels labels.Labels
	at     time.Time
	value  float64
}

// write commits samples as one batch.
func write(store storage.Appendable, samples ...sample) error {
	app := store.Appender(context.Background())
	for _, s := range samples {
		if _, err := app.Append(0, s.labels, s.at.UnixMilli(), s.value); err != nil {
			if rollback := app.Rollback(); rollback != nil {
				return rollback
			}
			return err
		}
	}
	return app.Commit()
}

// countByBatch gives the number of series of each batch within the last hour.
func countByBatch(t testing.TB, store metricstore.Store, name string, at time.Time) map[string]int {
	t.Helper()
	res, err := store.Query(context.Background(), fmt.Sprintf("count by (batch) (last_over_time(%s[1h]))", name), at)
	require.NoError(t, err)
	counts := map[string]int{}
	for _, s := range res.Value.(promql.Vector) {
		counts[s.Metric.Get("batch")] = int(s.F)
	}
	return counts
}

// batch makes n series of one batch.
func batch(name string, number, n int, at time.Time) []sample {
	samples := make([]sample, n)
	for i := range samples {
		samples[i] = sample{
			labels: labels.FromStrings("__name__", name, "batch", strconv.Itoa(number), "series", fmt.Sprintf("%06d-%x", i, number*7919+i*104729)),
			at:     at,
			value:  float64(i),
		}
	}
	return samples
}

// instant evaluates a query that gives a vector.
func instant(t testing.TB, store metricstore.Store, expr string, at time.Time) promql.Vector {
	t.Helper()
	res, err := store.Query(context.Background(), expr, at)
	require.NoError(t, err)
	v, ok := res.Value.(promql.Vector)
	require.True(t, ok, "%T", res.Value)
	return v
}

func days(n int) model.Duration { return model.Duration(time.Duration(n) * 24 * time.Hour) }
