package alertruleprocessor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/quantivista/monitoring/internal/ruleset"
	"github.com/quantivista/monitoring/processors/alertruleprocessor/internal/metadata"
)

// reloader keeps the rule manager's groups those of the source. It is for one goroutine.
type reloader struct {
	cfg       *Config
	source    ruleset.Source
	loader    *ruleset.Loader
	manager   *rules.Manager
	evaluate  rules.GroupEvalIterationFunc
	health    *ruleHealth
	host      component.Host
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder

	current ruleset.Set
	faults  []string
}

// reload reads the source, and updates the manager where something changed. What has a fault stays as it was.
func (r *reloader) reload(ctx context.Context) {
	set, faults := r.source.Groups(ctx)
	if ctx.Err() != nil {
		return
	}
	// The built-in rule comes first, so that there always is one.
	set.Files = append(builtin(r.cfg.EvaluationInterval).Files, set.Files...)
	if r.current.Files == nil || set.Version != r.current.Version {
		if err := r.update(set); err != nil {
			faults = append(faults, ruleset.FileError{File: "rules", Reason: err.Error()})
		}
	}
	r.report(ctx, faults)
}

// update waits for the groups that changed to end their evaluation.
func (r *reloader) update(set ruleset.Set) error {
	names := r.loader.Use(set)
	if err := r.manager.Update(r.cfg.EvaluationInterval, names, labels.FromMap(r.cfg.ExternalLabels), r.cfg.ExternalURL, r.evaluate); err != nil {
		r.loader.Use(r.current)
		return err
	}
	r.current = set
	r.health.keep(r.manager.RuleGroups())
	n := 0
	for _, f := range set.Files {
		for _, g := range f.Groups {
			n += len(g.Rules)
		}
	}
	r.logger.Info("Rules loaded", zap.Int("files", len(set.Files)-1), zap.Int("rules", n-1))
	return nil
}

// report tells new faults once, and that all are mended.
func (r *reloader) report(ctx context.Context, faults []ruleset.FileError) {
	texts := make([]string, len(faults))
	errs := make([]error, len(faults))
	for i, f := range faults {
		texts[i], errs[i] = f.Error(), f
	}
	if slices.Equal(texts, r.faults) {
		return
	}
	before := r.faults
	r.faults = texts
	if len(faults) == 0 {
		r.logger.Info("All rule files are without faults again")
		componentstatus.ReportStatus(r.host, componentstatus.NewEvent(componentstatus.StatusOK))
		return
	}
	for i, f := range faults {
		if !slices.Contains(before, texts[i]) {
			r.logger.Error("Rules cannot be loaded: the old ones go on", zap.String("file", f.File), zap.Int("line", f.Line), zap.String("reason", f.Reason))
		}
	}
	r.telemetry.ProcessorAlertRuleReloadFailures.Add(ctx, 1)
	componentstatus.ReportStatus(r.host, componentstatus.NewRecoverableErrorEvent(fmt.Errorf("rule files have faults, their old rules go on: %w", errors.Join(errs...))))
}

// alertNames gives the names of all alerts that the rules can raise.
func (r *reloader) alertNames() map[string]bool {
	names := map[string]bool{}
	for _, f := range r.current.Files {
		for _, g := range f.Groups {
			for _, rule := range g.Rules {
				names[rule.Alert] = true
			}
		}
	}
	return names
}

// each calls at once and then at every interval, until the context ends.
func each(ctx context.Context, interval time.Duration, call func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for ctx.Err() == nil {
		call()
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}
