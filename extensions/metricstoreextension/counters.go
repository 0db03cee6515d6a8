package metricstoreextension

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Counters of the TSDB by which this extension judges it.
const (
	walCorruptions  = "prometheus_tsdb_wal_corruptions_total"
	walWritesFailed = "prometheus_tsdb_wal_writes_failed_total"
	wblWritesFailed = "prometheus_tsdb_out_of_order_wbl_writes_failed_total"
)

// backgroundFailures counts work that the TSDB does by itself, and tries again within minutes.
var backgroundFailures = map[string]string{
	"prometheus_tsdb_compactions_failed_total":          "compaction",
	"prometheus_tsdb_head_truncations_failed_total":     "truncation of the head",
	"prometheus_tsdb_checkpoint_creations_failed_total": "checkpoint of the write-ahead log",
	"prometheus_tsdb_checkpoint_deletions_failed_total": "deletion of an old checkpoint",
	"prometheus_tsdb_wal_truncations_failed_total":      "truncation of the write-ahead log",
	"prometheus_tsdb_reloads_failures_total":            "reload of the blocks",
}

// counterRegistry is a registry that keeps these counters at hand. To read one costs nothing beside a gathering
// of all metrics, so that it can be done for every batch of samples.
type counterRegistry struct {
	*prometheus.Registry

	mu       sync.RWMutex
	counters map[string]prometheus.Metric
}

var _ prometheus.Registerer = (*counterRegistry)(nil)

func newCounterRegistry() *counterRegistry {
	return &counterRegistry{Registry: prometheus.NewRegistry(), counters: map[string]prometheus.Metric{}}
}

// Register is what wrapping registerers call.
func (r *counterRegistry) Register(c prometheus.Collector) error {
	if err := r.Registry.Register(c); err != nil {
		return err
	}
	r.keep(c)
	return nil
}

// MustRegister is what the TSDB calls.
func (r *counterRegistry) MustRegister(cs ...prometheus.Collector) {
	r.Registry.MustRegister(cs...)
	for _, c := range cs {
		r.keep(c)
	}
}

// keep collects a counter once: what it sends then reads the live value for ever.
func (r *counterRegistry) keep(c prometheus.Collector) {
	name, ok := wanted(c)
	if !ok {
		return
	}
	metrics := make(chan prometheus.Metric, 1)
	c.Collect(metrics)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counters[name] = <-metrics
}

// wanted gives the name of a collector that is one of these counters. A Desc shows its name in its text only.
func wanted(c prometheus.Collector) (string, bool) {
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		c.Describe(descs)
	}()
	found := ""
	for desc := range descs {
		text := desc.String()
		for _, name := range counterNames() {
			if strings.HasPrefix(text, fmt.Sprintf("Desc{fqName: %q,", name)) {
				found = name
			}
		}
	}
	return found, found != ""
}

func counterNames() []string {
	names := []string{walCorruptions, walWritesFailed, wblWritesFailed}
	return slices.AppendSeq(names, maps.Keys(backgroundFailures))
}

// value of a counter, 0 where the TSDB has none of this name.
func (r *counterRegistry) value(name string) float64 {
	r.mu.RLock()
	counter := r.counters[name]
	r.mu.RUnlock()
	var m dto.Metric
	if counter == nil || counter.Write(&m) != nil {
		return 0
	}
	return m.GetCounter().GetValue()
}

// add to a counter what an earlier registry had counted.
func (r *counterRegistry) add(name string, n float64) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if counter, ok := r.counters[name].(prometheus.Counter); ok {
		counter.Add(n)
	}
}
