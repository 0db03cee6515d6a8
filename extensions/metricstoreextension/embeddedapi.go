package metricstoreextension

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/quantivista/monitoring/internal/metricstore"
	"github.com/quantivista/monitoring/internal/promapi"
)

// PrometheusAPI serves Prometheus' API on this store. It may be built before Start.
func (s *embeddedStore) PrometheusAPI(c metricstore.Companions) (http.Handler, error) {
	return promapi.New(promapi.Options{
		Engine:          engine{s},
		Storage:         s,
		Exemplars:       s,
		Appendable:      s,
		TSDB:            tsdbStats{s},
		Metadata:        s.families,
		Targets:         c.Targets,
		Rules:           c.Rules,
		Ready:           func() bool { return s.current.Load() != nil },
		Flags:           flags(s.cfg),
		Directory:       s.cfg.Directory,
		StartTime:       s.startTime,
		Retention:       retention(s.cfg.Retention),
		ReadSampleLimit: s.cfg.Query.MaxSamples,
		Logger:          s.logger,
		Gatherer:        s,
		Registerer:      s.apiRegisterer(),
		Features:        s.features,
		LookbackDelta:   time.Duration(s.cfg.Query.LookbackDelta),
	})
}

// flags shows the config by the names of Prometheus' command line flags.
func flags(c *Config) map[string]string {
	return map[string]string{
		"query.lookback-delta":             c.Query.LookbackDelta.String(),
		"query.max-concurrency":            strconv.Itoa(c.Query.MaxConcurrency),
		"query.max-samples":                strconv.Itoa(c.Query.MaxSamples),
		"query.timeout":                    c.Query.Timeout.String(),
		"storage.tsdb.path":                c.Directory,
		"storage.tsdb.retention.size":      c.Retention.Size.String(),
		"storage.tsdb.retention.time":      c.Retention.Time.String(),
		"web.enable-admin-api":             "false",
		"web.enable-otlp-receiver":         "false",
		"web.enable-remote-write-receiver": "true",
	}
}

// retention writes the limits as Prometheus does: "15d", "50GiB", "15d or 50GiB".
func retention(r Retention) string {
	switch {
	case r.Time == 0 && r.Size == 0:
		return ""
	case r.Size == 0:
		return r.Time.String()
	case r.Time == 0:
		return r.Size.String()
	default:
		return r.Time.String() + " or " + r.Size.String()
	}
}

// apiRegisterer gives a registry for the metrics of an API's remote read and write handlers. Those of the first
// API are shown; a second one's would have the same names.
func (s *embeddedStore) apiRegisterer() prometheus.Registerer {
	registry := prometheus.NewRegistry()
	s.apiOnce.Do(func() { registry = s.apiRegistry })
	return registry
}

// tsdbStats is the TSDB as the status endpoints of the API ask it.
type tsdbStats struct{ store *embeddedStore }

// BlockMetas of all blocks on disk.
func (t tsdbStats) BlockMetas() ([]tsdb.BlockMeta, error) {
	d, err := t.store.enter()
	if err != nil {
		return nil, err
	}
	defer d.users.leave()
	return d.tsdb.BlockMetas(), nil
}

// Stats of the head's labels, the limit highest of each kind.
func (t tsdbStats) Stats(label string, limit int) (*tsdb.Stats, error) {
	d, err := t.store.enter()
	if err != nil {
		return nil, err
	}
	defer d.users.leave()
	return d.tsdb.Head().Stats(label, limit), nil
}

// WALReplayStatus tells of no replay: the API answers only after it.
func (tsdbStats) WALReplayStatus() (tsdb.WALReplayStatus, error) { return tsdb.WALReplayStatus{}, nil }

// errNoAdmin answers what the API does not ask, as its admin endpoints are off.
var errNoAdmin = errors.New("admin APIs disabled")

// CleanTombstones is an admin endpoint's.
func (tsdbStats) CleanTombstones() error { return errNoAdmin }

// Delete is an admin endpoint's.
func (tsdbStats) Delete(context.Context, int64, int64, ...*labels.Matcher) error { return errNoAdmin }

// Snapshot is an admin endpoint's.
func (tsdbStats) Snapshot(string, bool) error { return errNoAdmin }
