package alertruleprocessor

import (
	"context"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/util/strutil"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/ruleset"
)

// converter makes our alerts of Prometheus'.
type converter struct {
	external        map[string]string
	externalURL     string
	severities      alert.SeverityMap
	outageTolerance time.Duration
	stored          *ruleset.Loader
}

func newConverter(cfg *Config, stored *ruleset.Loader) *converter {
	return &converter{
		external:        cfg.ExternalLabels,
		externalURL:     strings.TrimSuffix(cfg.ExternalURL, "/"),
		severities:      cfg.Map(),
		outageTolerance: cfg.AlertOutageTolerance,
		stored:          stored,
	}
}

// alert converts one that fires or is resolved. The context is that of the evaluation of its rule.
func (c *converter) alert(ctx context.Context, expr string, a *rules.Alert) alert.Alert {
	converted := c.identity(a.Labels)
	converted.Annotations = texts(a.Annotations)
	converted.Status = alert.Firing
	converted.StartsAt = a.ActiveAt.UTC()
	converted.UpdatedAt = a.LastSentAt.UTC()
	converted.Value = new(a.Value)
	converted.GeneratorURL = c.externalURL + strutil.TableLinkForExpression(expr)
	file, group := origin(ctx)
	converted.RuleID = c.stored.RuleID(file, group, converted.Name())
	// Prometheus has an alert last for four evaluations, or resends, without a report.
	converted.ExpiresAt = a.ValidUntil.Add(c.outageTolerance).UTC()
	if !a.ResolvedAt.IsZero() {
		converted.Status = alert.Resolved
		converted.EndsAt, converted.ExpiresAt = a.ResolvedAt.UTC(), time.Time{}
	}
	return converted
}

// identity gives an alert that has only what follows from the labels that its rule gave it.
func (c *converter) identity(ls labels.Labels) alert.Alert {
	all := texts(ls)
	for name, value := range c.external {
		if _, has := all[name]; !has && value != "" {
			all[name] = value
		}
	}
	return alert.Alert{Labels: all, Severity: c.severities.Of(all)}
}

// resolve ends an alert that its rule no longer tells about.
func resolve(a alert.Alert, now time.Time) alert.Alert {
	ended := *a.Clone()
	ended.Status = alert.Resolved
	ended.EndsAt, ended.UpdatedAt, ended.ExpiresAt = now.UTC(), now.UTC(), time.Time{}
	return ended
}

// texts are UTF-8, which a template need not give.
func texts(ls labels.Labels) map[string]string {
	all := make(map[string]string, ls.Len())
	ls.Range(func(l labels.Label) {
		all[strings.ToValidUTF8(l.Name, "\uFFFD")] = strings.ToValidUTF8(l.Value, "\uFFFD")
	})
	return all
}

// origin gives the file and the name of the group that is being evaluated, as Prometheus' rule manager writes them
// into the context.
func origin(ctx context.Context) (file, group string) {
	data, _ := ctx.Value(promql.QueryOrigin{}).(map[string]any)
	names, _ := data["ruleGroup"].(map[string]string)
	return names["file"], names["name"]
}
