package monitoringapiextension

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/quantivista/monitoring/internal/evidence"
	"github.com/quantivista/monitoring/internal/logs"
	"github.com/quantivista/monitoring/internal/metricstore"
	"github.com/quantivista/monitoring/internal/traces"
)

// keeper gives what collects evidence; nil where nothing shall.
func (m *monitoringAPI) keeper(store metricstore.Store, state stateStore, jaeger traces.Reader, loki logs.Reader) *evidence.Keeper {
	if state == nil || !m.cfg.Evidence.Enabled {
		return nil
	}
	sources := evidence.Sources{Metrics: store}
	if jaeger != nil {
		sources.Traces = tracesOfJaeger{jaeger}
	}
	if loki != nil {
		sources.Logs = linesOfLoki{loki}
	}
	return evidence.NewKeeper(state, state, sources, m.cfg.Evidence.settings(), time.Now,
		evidence.Observer{Round: logRounds(m.set.Logger), Asked: m.countEvidence})
}

// countEvidence counts an attempt with a source.
func (m *monitoringAPI) countEvidence(source evidence.Source, err error) {
	outcome := "answered"
	if err != nil {
		outcome = "away"
	}
	m.telemetry.MonitoringAPIEvidenceRequests.Add(context.Background(), 1, metric.WithAttributeSet(attribute.NewSet(
		attribute.String("source", string(source)), attribute.String("outcome", outcome))))
}

// tracesOfJaeger finds evidence in Jaeger.
type tracesOfJaeger struct{ traces.Reader }

var _ evidence.TraceSource = tracesOfJaeger{}

// Trace implements evidence.TraceSource.
func (j tracesOfJaeger) Trace(ctx context.Context, id string) (ptrace.Traces, error) {
	parsed, err := traces.ParseID(id)
	if err != nil {
		return ptrace.Traces{}, fmt.Errorf("%w: %w", evidence.ErrNoTrace, err)
	}
	found, err := j.Get(ctx, parsed)
	if errors.Is(err, traces.ErrNotFound) {
		return found, fmt.Errorf("%w: %w", evidence.ErrNoTrace, err)
	}
	return found, err
}

// Worst implements evidence.TraceSource.
func (j tracesOfJaeger) Worst(ctx context.Context, service string, w evidence.Window, limit int) (failed, slow []ptrace.Traces, err error) {
	return traces.Worst(ctx, j.Reader, service, w.Start, w.End, limit)
}

// linesOfLoki finds evidence in Loki.
type linesOfLoki struct{ logs.Reader }

var _ evidence.LogSource = linesOfLoki{}

// errorLevels are severities, by names of all kinds, that tell of errors. The loki exporter has them in the label severity,
// Loki's OTLP endpoint in severity_text, and Loki finds out others by itself.
const errorLevels = `(?i)(err|fatal|crit|panic|alert|emerg).*`

// ErrorLines implements evidence.LogSource.
func (l linesOfLoki) ErrorLines(ctx context.Context, service string, w evidence.Window, limit int) ([]evidence.LogLine, error) {
	level := strconv.Quote(errorLevels)
	found, err := l.Query(ctx, logs.Query{
		LogQL: "{service_name=" + strconv.Quote(service) + "} | severity=~" + level + " or severity_text=~" + level + " or detected_level=~" + level,
		Start: w.Start, End: w.End, Limit: limit,
	})
	if err != nil {
		return nil, err
	}
	lines := make([]evidence.LogLine, len(found.Lines))
	for i := range found.Lines {
		line := &found.Lines[i]
		labels := maps.Clone(line.Labels)
		if labels == nil {
			labels = map[string]string{}
		}
		maps.Copy(labels, line.Metadata)
		lines[i] = evidence.LogLine{At: line.Time.UTC(), Text: line.Text, Severity: line.Severity(), TraceID: line.TraceID(), Labels: labels}
	}
	return lines, nil
}
