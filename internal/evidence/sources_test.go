package evidence

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"pgregory.net/rapid"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/metricstore"
)

func TestExpressions(t *testing.T) {
	for text, want := range map[string]string{
		`sum(rate(errors_total[5m])) > 5`:            `sum(rate(errors_total[5m])) > 5`,
		`5 <= (up)`:                                  `up >= 5`,
		`(x_count{a="b"} > -1) and on (job) (y < 2)`: `x_count{a="b"} > -1`,
		`up == 0 unless maintenance`:                 `up == 0`,
		`a > bool 1`:                                 `a > bool 1 `,
		`a > b`:                                      `a > b `,
		`a > 1 or b > 2`:                             `a > 1 or b > 2 `,
		`absent(up)`:                                 `absent(up) `,
		`histogram_quantile(0.9, rate(h_bucket[5m])) > 1 and rate(h_count[5m]) > 2`: `histogram_quantile(0.9, rate(h_bucket[5m])) > 1`,
	} {
		e, err := parse(text)
		require.NoError(t, err, text)
		got := e.query + " "
		if e.threshold != nil {
			got = fmt.Sprintf("%s %s %g", e.query, e.threshold.Op, e.threshold.Value)
		}
		assert.Equal(t, want, got, text)
	}
	e, err := parse(`rate(http_request_duration_seconds_count{job="shop"}[5m]) > 1`)
	require.NoError(t, err)
	require.Len(t, e.selectors, 2)
	assert.Contains(t, fmt.Sprint(e.selectors[1]), `__name__="http_request_duration_seconds_bucket"`)
	_, err = parse("rate(")
	require.Error(t, err)
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "up == 0", "5 < x_sum", "a and b > 1", "((1)) > ((2))", "x @ 5 > 1", "rate(x_count[5m]) unless y", `{"a.b_count"} > 1`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := parse(text)
		if err != nil {
			return
		}
		_, err = parse(e.query)
		require.NoError(t, err, "the part of an expression is one")
	})
}

// metricSource answers with one matrix.
type metricSource struct {
	matrix    promql.Matrix
	exemplars []exemplar.QueryResult
	err       error
	asked     []string
}

func (m *metricSource) QueryRange(_ context.Context, expr string, _ metricstore.Range) (metricstore.Result, error) {
	m.asked = append(m.asked, expr)
	return metricstore.Result{Value: m.matrix}, m.err
}

func (m *metricSource) ExemplarQuerier(context.Context) (storage.ExemplarQuerier, error) {
	return m, nil
}

func (m *metricSource) Select(int64, int64, ...[]*labels.Matcher) ([]exemplar.QueryResult, error) {
	return m.exemplars, m.err
}

func ruled(id, expr string, severity alert.Severity, pairs ...string) alert.Record {
	a := alert.Record{ID: id, Periods: []alert.Period{{Start: noon}}}
	a.Labels, a.Severity = map[string]string{"alertname": "Slow", "severity": "page"}, severity
	for i := 0; i+1 < len(pairs); i += 2 {
		a.Labels[pairs[i]] = pairs[i+1]
	}
	if expr != "" {
		a.GeneratorURL = "http://localhost/graph?g0.expr=" + expr
	}
	return a
}

const (
	oneID   = "4bf92f3577b34da6a3ce929d0e0e4736"
	otherID = "5bf92f3577b34da6a3ce929d0e0e4736"
)

func TestMetrics(t *testing.T) {
	series := func(pairs ...string) promql.Series {
		return promql.Series{Metric: labels.FromStrings(pairs...), Floats: []promql.FPoint{{T: noon.UnixMilli(), F: 7}}}
	}
	source := &metricSource{
		matrix: promql.Matrix{series("job", "cart"), series("job", "shop", "severity", "x")},
		exemplars: []exemplar.QueryResult{
			{SeriesLabels: labels.FromStrings("__name__", "x_bucket", "job", "cart"), Exemplars: []exemplar.Exemplar{{Labels: labels.FromStrings("trace_id", oneID)}}},
			{SeriesLabels: labels.FromStrings("__name__", "x_bucket", "job", "shop", "le", "1"), Exemplars: []exemplar.Exemplar{
				{Labels: labels.FromStrings("traceID", strings.ToUpper(otherID)), Value: 3, Ts: noon.UnixMilli()}, {Labels: labels.FromStrings("user", "ada")},
			}},
		},
	}
	b := DefaultSettings().Budget
	c := Case{Alerts: []alert.Record{
		ruled("posted", "", alert.Critical), ruled("low", "y", alert.Low, "job", "shop"), ruled("a", "x > 5", alert.High, "job", "shop"), ruled("bad", "rate(", alert.High),
	}}
	b.Metrics = 3
	found, err := metricsOf(t.Context(), source, &c, Window{noon.Add(-time.Hour), noon}, &b)
	require.NoError(t, err)
	require.Len(t, found.Metrics, 3)
	m := found.Metrics[0]
	assert.Equal(t, "a", m.AlertID, "the worst first")
	assert.Equal(t, "x", m.Query)
	assert.Equal(t, &Threshold{Op: ">", Value: 5}, m.Threshold)
	assert.Equal(t, "shop", m.Series[0].Labels["job"], "its own series first")
	assert.Equal(t, []Point{{noon, "7"}}, m.Series[0].Points)
	assert.Equal(t, "shop", m.Service)
	assert.Contains(t, found.Metrics[1].Note, "cannot be read: 1:6: parse error")
	require.Len(t, found.Traces, 2, "one of each alert, and none of another service")
	assert.Equal(t, Trace{TraceID: otherID, Reason: FromExemplar, Exemplar: &Exemplar{Series: "x_bucket", Value: 3, At: noon}}, found.Traces[0])

	source.err = fmt.Errorf("%w: many", metricstore.ErrTooManySamples)
	found, err = metricsOf(t.Context(), source, &c, Window{noon, noon}, &b)
	require.NoError(t, err)
	assert.Contains(t, found.Metrics[0].Note, "too many samples")
	source.err = metricstore.ErrUnavailable
	_, err = metricsOf(t.Context(), source, &c, Window{noon, noon}, &b)
	require.ErrorIs(t, err, metricstore.ErrUnavailable)
}

// makeTrace writes a trace of a service with so many spans in a row, of which some failed.
func makeTrace(id, service string, spans int, failed ...int) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", service)
	ss := rs.ScopeSpans().AppendEmpty()
	for i := range spans {
		span := ss.Spans().AppendEmpty()
		span.SetTraceID(traceID(id))
		span.SetSpanID(pcommon.SpanID{1, byte(i >> 8), byte(i)})
		if i > 0 {
			span.SetParentSpanID(pcommon.SpanID{1, byte((i - 1) >> 8), byte(i - 1)})
		}
		span.SetName(fmt.Sprintf("op %d", i))
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(noon.Add(time.Duration(i) * time.Millisecond)))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(noon.Add(time.Second - time.Duration(i)*time.Millisecond)))
		span.Attributes().PutStr("text", strings.Repeat("é", 10_000))
	}
	for _, i := range failed {
		span := ss.Spans().At(i)
		span.Status().SetCode(ptrace.StatusCodeError)
		span.Events().AppendEmpty().Attributes().PutStr("exception.message", fmt.Sprintf("fault %d", i))
	}
	return td
}

func traceID(id string) (bytes pcommon.TraceID) {
	for i := range bytes {
		_, _ = fmt.Sscanf(id[2*i:2*i+2], "%02x", &bytes[i])
	}
	return bytes
}

type traceSource struct {
	traces map[string]ptrace.Traces
	failed map[string][]ptrace.Traces
	err    error
	asked  []string
}

func (s *traceSource) Trace(_ context.Context, id string) (ptrace.Traces, error) {
	s.asked = append(s.asked, id)
	if td, is := s.traces[id]; is {
		return td, s.err
	}
	return ptrace.NewTraces(), errors.Join(s.err, ErrNoTrace)
}

func (s *traceSource) Worst(_ context.Context, service string, _ Window, _ int) (failed, slow []ptrace.Traces, err error) {
	s.asked = append(s.asked, service)
	return s.failed[service], nil, s.err
}

func TestTraces(t *testing.T) {
	source := &traceSource{
		traces: map[string]ptrace.Traces{oneID: makeTrace(oneID, "shop", 3)},
		failed: map[string][]ptrace.Traces{"shop": {makeTrace(otherID, "shop", 400, 1, 390)}},
	}
	b := DefaultSettings().Budget
	c := Case{Incident: incident.Incident{AffectedServices: []string{"cart", "shop"}}}
	named := []Trace{{TraceID: otherID, Reason: FromExemplar, Exemplar: &Exemplar{}}, {TraceID: oneID, Reason: FromExemplar, Exemplar: &Exemplar{}}}
	found, err := tracesOf(t.Context(), source, &c, named, []Window{{}}, &b)
	require.NoError(t, err)
	assert.Equal(t, []string{otherID, oneID, "cart", "shop"}, source.asked)
	require.Len(t, found.Traces, 2)
	assert.Equal(t, FromExemplar, found.Traces[0].Reason)
	assert.Equal(t, 3, found.Traces[0].Spans)
	failed := found.Traces[1]
	assert.Equal(t, Failed, failed.Reason)
	assert.Equal(t, otherID, failed.TraceID)
	assert.Equal(t, "op 0", failed.RootOperation)
	assert.Equal(t, time.Second, failed.Duration)
	assert.Equal(t, 400, failed.Spans)
	assert.Equal(t, 2, failed.Errors)
	assert.Equal(t, []Failure{{"shop", "op 390", "fault 390"}, {"shop", "op 1", "fault 1"}}, failed.Failures, "the deepest first")
	kept, err := new(ptrace.JSONUnmarshaler).UnmarshalTraces(failed.OTLP)
	require.NoError(t, err)
	assert.Equal(t, failed.Kept, kept.SpanCount())
	assert.Positive(t, failed.Kept)
	assert.LessOrEqual(t, len(failed.OTLP), b.Bytes/2/8)

	source.err = errors.New("away")
	_, err = tracesOf(t.Context(), source, &c, nil, []Window{{}}, &b)
	require.ErrorIs(t, err, source.err)
}

// TestKeptSpans keeps what failed with all that called it, as long as there is room, whatever the trace looks like.
func TestKeptSpans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "spans")
		td := makeTrace(oneID, "shop", n)
		spans := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
		for _, span := range spans.All() {
			span.Attributes().Clear()
			span.SetParentSpanID(pcommon.SpanID{1, 0, byte(rapid.IntRange(0, n).Draw(t, "parent"))}) // rings and lost parents, too
		}
		spans.At(n - 1).Status().SetCode(ptrace.StatusCodeError)
		var tr Trace
		tr.describe(td, n, 1<<20)
		require.Equal(t, n, tr.Kept)
		require.Equal(t, n, tr.Spans)
		require.Equal(t, 1, tr.Errors)
		tr.describe(td, 1, 1<<20)
		require.Equal(t, 1, tr.Kept)
		tr.describe(td, n, 10)
		require.Zero(t, tr.Kept)
		require.Nil(t, tr.OTLP)
	})
}

type logSource struct {
	lines map[string][]LogLine
	err   error
}

func (s *logSource) ErrorLines(_ context.Context, service string, _ Window, limit int) ([]LogLine, error) {
	return first(s.lines[service], limit), s.err
}

func TestLogs(t *testing.T) {
	line := func(after int, text, trace string) LogLine {
		return LogLine{At: noon.Add(time.Duration(after) * time.Second), Text: text, TraceID: trace, Severity: "error", Labels: map[string]string{"pod": "p"}}
	}
	source := &logSource{lines: map[string][]LogLine{"shop": {
		line(5, "order 5 failed", ""), line(4, "no stock", ""), line(3, "order 3 failed", oneID), line(1, "order 1 failed", otherID),
	}}}
	b := DefaultSettings().Budget
	c := Case{Incident: incident.Incident{AffectedServices: []string{"cart", "shop"}}}
	found, err := logsOf(t.Context(), source, &c, []Window{{}}, &b)
	require.NoError(t, err)
	merged := Merge(&Evidence{}, &found, &b)
	require.Len(t, merged.Logs, 2)
	assert.Equal(t, LogPattern{
		Service: "shop", Pattern: "order <_> failed", Severity: "error", Count: 3, FirstSeen: noon.Add(time.Second), LastSeen: noon.Add(5 * time.Second),
		Example: "order 3 failed", TraceID: oneID, Labels: map[string]string{"pod": "p"},
	}, merged.Logs[0], "an example that leads to a trace")
	b.LogLines = 2
	found, err = logsOf(t.Context(), source, &c, []Window{{}}, &b)
	require.NoError(t, err)
	assert.True(t, found.Logs[0].AtLeast)
	source.err = errors.New("away")
	_, err = logsOf(t.Context(), source, &c, []Window{{}}, &b)
	require.ErrorIs(t, err, source.err)
}
