package metricstoreextension

import (
	"context"
	"net/http"
	"strconv"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/quantivista/monitoring/internal/metricstore"
	"github.com/quantivista/monitoring/internal/promapi"
)

// PrometheusAPI serves Prometheus' API on this store. It may be built before Start.
func (s *embeddedStore) PrometheusAPI(c metricstore.Companions) (http.Handler, error) {
	return promapi.New(promapi.Options{
		Engine:          s,
		Storage:         s,
		Exemplars:       s,
		Appendable:      s,
		TSDB:            tsdbStats{s},
		Metadata:        s.families,
		Targets:         c.Targets,
		Rules:           c.Rules,
		Ready:           func() bool { return s.open.Load() != nil },
		Flags:           flags(s.cfg),
		Directory:       s.cfg.Directory,
		StartTime:       s.startTime,
		Retention:       retention(s.cfg.Retention),
		ReadSampleLimit: s.cfg.Query.MaxSamples,
		Logger:          s.logger,
		Gatherer:        s,
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

// tsdbStats is the TSDB as the API's status and admin endpoints ask it.
type tsdbStats struct{ s *embeddedStore }

func (t tsdbStats) BlockMetas() ([]tsdb.BlockMeta, error) {
	o, err := t.s.opened()
	if err != nil {
		return nil, err
	}
	return o.db.BlockMetas(), nil
}

func (t tsdbStats) Stats(label string, limit int) (*tsdb.Stats, error) {
	o, err := t.s.opened()
	if err != nil {
		return nil, err
	}
	return o.db.Head().Stats(label, limit), nil
}

// WALReplayStatus tells of a replay that is over: the API answers only after it.
func (tsdbStats) WALReplayStatus() (tsdb.WALReplayStatus, error) { return tsdb.WALReplayStatus{}, nil }

func (t tsdbStats) CleanTombstones() error {
	o, err := t.s.opened()
	if err != nil {
		return err
	}
	return o.db.CleanTombstones()
}

func (t tsdbStats) Delete(ctx context.Context, mint, maxt int64, ms ...*labels.Matcher) error {
	o, err := t.s.opened()
	if err != nil {
		return err
	}
	return o.db.Delete(ctx, mint, maxt, ms...)
}

func (t tsdbStats) Snapshot(dir string, withHead bool) error {
	o, err := t.s.opened()
	if err != nil {
		return err
	}
	return o.db.Snapshot(dir, withHead)
}
