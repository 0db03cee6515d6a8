package alertruleprocessor

import (
	"context"
	"fmt"
	"log/slog"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap/exp/zapslog"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/hostext"
	"github.com/quantivista/monitoring/internal/metricstore"
	"github.com/quantivista/monitoring/internal/rule"
	"github.com/quantivista/monitoring/internal/ruleset"
	"github.com/quantivista/monitoring/processors/alertruleprocessor/internal/metadata"
)

// alertRule is the alert_rule processor.
type alertRule struct {
	cfg       *Config
	set       processor.Settings
	next      consumer.Metrics
	telemetry *metadata.TelemetryBuilder
	logger    *slog.Logger
	outbox    *outbox
	loader    *ruleset.Loader
	source    ruleset.Source

	running *running
}

var _ processor.Metrics = (*alertRule)(nil)

func newProcessor(cfg *Config, set processor.Settings, next consumer.Metrics) (*alertRule, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	p := &alertRule{
		cfg: cfg, set: set, next: next, telemetry: telemetry,
		logger: slog.New(zapslog.NewHandler(set.Logger.Core())),
		outbox: newOutbox(cfg.MaxWaiting),
		loader: &ruleset.Loader{},
		source: ruleset.NewFiles(cfg.RuleFiles...),
	}
	return p, telemetry.RegisterProcessorAlertRuleAlertsWaitingCallback(func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(int64(p.outbox.len()))
		return nil
	})
}

// Capabilities says that what comes in is left as it is.
func (*alertRule) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// ConsumeMetrics passes on alerts of others, such as those of another collector. Other metrics
// end here: rules ask the metric store, not the pipeline.
func (p *alertRule) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	alerts := pmetric.NewMetrics()
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if alert.IsAlert(m) {
					if alerts.ResourceMetrics().Len() == 0 {
						alerts.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty()
					}
					m.CopyTo(alerts.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().AppendEmpty())
				}
			}
		}
	}
	if alerts.MetricCount() == 0 {
		return nil
	}
	return p.next.ConsumeMetrics(ctx, alerts)
}

// Start begins to evaluate. Rule files with faults do not keep it from it.
func (p *alertRule) Start(_ context.Context, host component.Host) error {
	store, err := hostext.Find[metricstore.Store](host, p.cfg.MetricStore)
	if err != nil {
		return fmt.Errorf("\"metric_store\": %w", err)
	}
	if p.cfg.SQLStore != (component.ID{}) {
		stored, err := hostext.Find[rule.Revisions](host, p.cfg.SQLStore)
		if err != nil {
			return fmt.Errorf("\"sql_store\": %w", err)
		}
		p.source = ruleset.Join(p.source, ruleset.NewStored(stored))
	}
	p.running, err = p.run(host, store)
	return err
}

// Shutdown lets evaluations end, cancels them after a grace, and sends what waits. It may be called without Start,
// and twice.
func (p *alertRule) Shutdown(ctx context.Context) error {
	r := p.running
	p.running = nil
	defer p.telemetry.Shutdown()
	if r == nil {
		return nil
	}
	return r.stop(ctx)
}
