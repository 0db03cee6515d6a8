package incidentexporter

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/prometheus/prometheus/promql"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/quantivista/monitoring/exporters/incidentexporter/internal/metadata"
	"github.com/quantivista/monitoring/internal/hostext"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/metricstore"
	"github.com/quantivista/monitoring/internal/spanmetrics"
)

// ServiceGraphConfig says where to learn which service calls which, and how far to go.
type ServiceGraphConfig struct {
	// MetricStore is the metric_store extension that has the metrics of a servicegraph connector.
	MetricStore component.ID `mapstructure:"metric_store"`
	// MaxHops is how many calls may lie between the service of an alert and that of the incident which it joins.
	MaxHops int `mapstructure:"max_hops"`
	// Window is how old a call may be, and how long what was read serves while the store cannot be read.
	Window time.Duration `mapstructure:"window"`
	// RefreshInterval is how often the graph is read.
	RefreshInterval time.Duration `mapstructure:"refresh_interval"`
	// Timeout is for one reading.
	Timeout time.Duration `mapstructure:"timeout"`
}

// maxHops bounds MaxHops: further away everything calls everything.
const maxHops = 10

func (c *ServiceGraphConfig) faults() (errs []error) {
	if c.MetricStore == (component.ID{}) {
		errs = append(errs, errors.New("\"service_graph::metric_store\" must name a metric_store extension, such as metric_store"))
	}
	if c.MaxHops < 1 || c.MaxHops > maxHops {
		errs = append(errs, fmt.Errorf("\"service_graph::max_hops\" must be between 1 and %d, is %d", maxHops, c.MaxHops))
	}
	if c.Window < time.Minute {
		errs = append(errs, fmt.Errorf("\"service_graph::window\" must be at least 1m, is %s", c.Window))
	}
	for key, d := range map[string]time.Duration{"refresh_interval": c.RefreshInterval, "timeout": c.Timeout} {
		if d <= 0 {
			errs = append(errs, fmt.Errorf("\"service_graph::%s\" must be positive, is %s", key, d))
		}
	}
	return errs
}

// serviceGraph reads the graph in the background, and answers from memory, so that no alert waits for the metric store.
type serviceGraph struct {
	cfg       *ServiceGraphConfig
	query     spanmetrics.Query
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder

	known atomic.Pointer[knownGraph]
}

// knownGraph is what was read.
type knownGraph struct {
	at      time.Time
	callees map[string][]string
	edges   int
}

func newServiceGraph(cfg *ServiceGraphConfig, host component.Host, logger *zap.Logger, telemetry *metadata.TelemetryBuilder) (*serviceGraph, error) {
	store, err := hostext.Find[metricstore.Store](host, cfg.MetricStore)
	if err != nil {
		return nil, fmt.Errorf("\"service_graph::metric_store\": %w", err)
	}
	g := &serviceGraph{cfg: cfg, logger: logger, telemetry: telemetry}
	g.query = func(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
		result, err := store.Query(ctx, expr, at)
		if err != nil {
			return nil, err
		}
		vector, ok := result.Value.(promql.Vector)
		if !ok {
			return nil, fmt.Errorf("the metric store answers a query for a vector with a %T", result.Value)
		}
		return vector, nil
	}
	return g, telemetry.RegisterExporterIncidentServiceGraphEdgesCallback(func(_ context.Context, o metric.Int64Observer) error {
		edges := 0
		if known := g.current(); known != nil {
			edges = known.edges
		}
		o.Observe(int64(edges))
		return nil
	})
}

// current gives what was read last, unless that is too old.
func (g *serviceGraph) current() *knownGraph {
	known := g.known.Load()
	if known == nil || time.Since(known.at) > g.cfg.Window {
		return nil
	}
	return known
}

// callees is an incident.Graph.
func (g *serviceGraph) callees() incident.Callees {
	known := g.current()
	if known == nil {
		return nil
	}
	return func(service string) []string { return known.callees[service] }
}

// run reads the graph time and again. That it cannot is counted, and told once until it can again.
func (g *serviceGraph) run(ctx context.Context) {
	ticker := time.NewTicker(g.cfg.RefreshInterval)
	defer ticker.Stop()
	for failing := false; ; {
		err := g.read(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			g.telemetry.ExporterIncidentServiceGraphFailedReads.Add(ctx, 1)
			if !failing {
				g.logger.Warn("The service graph cannot be read; alerts are correlated by what was read before, or without it",
					zap.Stringer("metric_store", g.cfg.MetricStore), zap.Error(err))
			}
		case failing:
			g.logger.Info("The service graph can be read again")
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (g *serviceGraph) read(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, g.cfg.Timeout)
	defer cancel()
	now := time.Now()
	callees, err := spanmetrics.Callees(ctx, g.query, now.Add(-g.cfg.Window), now)
	if err != nil {
		return err
	}
	known := &knownGraph{at: now, callees: callees}
	for _, servers := range callees {
		known.edges += len(servers)
	}
	g.known.Store(known)
	return nil
}
