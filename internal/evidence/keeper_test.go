package evidence_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/evidence"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/metricstore"
	"github.com/quantivista/monitoring/internal/sqlstore"
	"github.com/quantivista/monitoring/internal/sqlstore/sqlitetest"
	"github.com/quantivista/monitoring/internal/state"
)

// world is a metric store, a Jaeger and a Loki that can be away, and a database in a synctest bubble.
type world struct {
	t     *testing.T
	store *sqlstore.Store

	mu    sync.Mutex
	away  map[evidence.Source]error
	asked map[evidence.Source]int
	hang  bool // traces are not answered before the context ends
	// answered and failed are what the keeper told of its attempts.
	answered, failed map[evidence.Source]int
}

func newWorld(t *testing.T) *world {
	return &world{
		t: t, store: sqlitetest.Open(t, time.Second), away: map[evidence.Source]error{}, asked: map[evidence.Source]int{},
		answered: map[evidence.Source]int{}, failed: map[evidence.Source]int{},
	}
}

func (w *world) wasAsked(source evidence.Source, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		w.answered[source]++
	} else {
		w.failed[source]++
	}
}

func (w *world) ask(ctx context.Context, source evidence.Source) error {
	w.mu.Lock()
	w.asked[source]++
	err, hang := w.away[source], w.hang
	w.mu.Unlock()
	if hang && source == evidence.Traces {
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

func (w *world) QueryRange(ctx context.Context, _ string, _ metricstore.Range) (metricstore.Result, error) {
	series := promql.Series{Metric: labels.FromStrings("service", "shop"), Floats: []promql.FPoint{{T: time.Now().UnixMilli(), F: 7}}}
	return metricstore.Result{Value: promql.Matrix{series}}, w.ask(ctx, evidence.Metrics)
}

func (w *world) ExemplarQuerier(context.Context) (storage.ExemplarQuerier, error) { return w, nil }

func (w *world) Select(int64, int64, ...[]*labels.Matcher) ([]exemplar.QueryResult, error) {
	return nil, nil
}

func (w *world) Trace(context.Context, string) (ptrace.Traces, error) {
	return ptrace.NewTraces(), evidence.ErrNoTrace
}

func (w *world) Worst(ctx context.Context, service string, _ evidence.Window, _ int) (failed, slow []ptrace.Traces, err error) {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", service)
	span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID(pcommon.TraceID{1})
	span.Status().SetCode(ptrace.StatusCodeError)
	return []ptrace.Traces{td}, nil, w.ask(ctx, evidence.Traces)
}

func (w *world) ErrorLines(ctx context.Context, _ string, _ evidence.Window, _ int) ([]evidence.LogLine, error) {
	return []evidence.LogLine{{At: time.Now(), Text: "order 5 failed"}}, w.ask(ctx, evidence.Logs)
}

func (w *world) keeper() *evidence.Keeper {
	return evidence.NewKeeper(w.store, w.store, evidence.Sources{Metrics: w, Traces: w, Logs: w}, evidence.DefaultSettings(), time.Now,
		evidence.Observer{Round: func(err error) { assert.NoError(w.t, err) }, Asked: w.wasAsked})
}

// incident opens one with an alert that a rule raised.
func (w *world) incident() (id string) {
	w.t.Helper()
	title, err := incident.ParseTitle(incident.DefaultTitle)
	require.NoError(w.t, err)
	rules := incident.Correlation{Labels: incident.DefaultLabels(), MinSeverity: alert.Medium, Title: title}
	_, err = incident.NewCorrelator(w.store, rules, time.Now).Handle(w.t.Context(), []alert.Alert{{
		Labels: map[string]string{"alertname": "Slow", "service": "shop"}, Severity: alert.High, Status: alert.Firing,
		StartsAt: time.Now(), UpdatedAt: time.Now(), GeneratorURL: "http://localhost/graph?g0.expr=x>5",
	}})
	require.NoError(w.t, err)
	list, err := w.store.Incidents(w.t.Context(), incident.Query{})
	require.NoError(w.t, err)
	return list.Incidents[0].ID
}

func (w *world) change(id string, status incident.Status) {
	w.t.Helper()
	require.NoError(w.t, w.store.Write(w.t.Context(), func(ctx context.Context, tx incident.Tx) error {
		in, err := tx.Incident(ctx, id)
		if err != nil {
			return err
		}
		in.Status = status
		_, err = tx.UpdateIncident(ctx, in)
		return err
	}))
}

func (w *world) kept(id string) (evidence.Evidence, evidence.Collection) {
	w.t.Helper()
	e, c, err := w.store.Evidence(w.t.Context(), id)
	require.NoError(w.t, err)
	return e, c
}

func (w *world) told(id string) (told []string) {
	w.t.Helper()
	timeline, err := w.store.Timeline(w.t.Context(), id, state.Page{})
	require.NoError(w.t, err)
	for _, event := range timeline.Events {
		if event.Type == incident.System && event.Metadata["logPatterns"] != nil {
			told = append(told, event.Content)
		}
	}
	return told
}

// run lets keepers work for a while.
func (w *world) run(d time.Duration, keepers ...*evidence.Keeper) {
	ctx, cancel := context.WithTimeout(w.t.Context(), d)
	defer cancel()
	var all sync.WaitGroup
	for _, k := range keepers {
		all.Go(func() { k.Run(ctx) })
	}
	all.Wait()
}

func TestEvidenceOfAnIncident(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		k := w.keeper()
		id := w.incident()
		w.run(25*time.Second, k)
		e, c := w.kept(id)
		assert.Zero(t, e, "spans are on their way")
		assert.Zero(t, c)

		w.run(15*time.Second, k)
		e, c = w.kept(id)
		assert.Equal(t, evidence.Counts{Metrics: 1, Traces: 1, LogPatterns: 1}, e.Counts())
		assert.Equal(t, "x", e.Metrics[0].Query)
		assert.Equal(t, evidence.Developing, c.Stage)
		assert.False(t, c.CollectedAt.IsZero())
		w.run(6*time.Minute, k)
		w.run(12*time.Hour, k)
		assert.Equal(t, 2, w.asked[evidence.Logs], "soon, and again")
		w.change(id, incident.Resolved)
		w.run(time.Hour, k)
		_, c = w.kept(id)
		assert.Equal(t, evidence.Ended, c.Stage)
		assert.Equal(t, 4, w.asked[evidence.Logs], "at the end, its beginning and its end")
		assert.Equal(t, []string{"Evidence collected: 1 metric, 1 trace, 1 log pattern"}, w.told(id), "once")
		w.change(id, incident.Open)
		w.run(time.Minute, k)
		assert.Equal(t, 5, w.asked[evidence.Logs], "it was reopened")
	})
}

func TestASourceIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		k := w.keeper()
		w.away[evidence.Traces] = errors.New("Jaeger at localhost:16685 cannot be reached")
		w.away[evidence.Metrics] = metricstore.ErrUnavailable
		id := w.incident()
		w.run(40*time.Second, k)
		e, c := w.kept(id)
		assert.Equal(t, evidence.Counts{LogPatterns: 1}, e.Counts())
		assert.Equal(t, "Jaeger at localhost:16685 cannot be reached", c.Sources[evidence.Traces].Reason)
		assert.True(t, c.Sources[evidence.Traces].RetryAt.After(time.Now()))
		assert.Equal(t, map[evidence.Source]int{evidence.Logs: 1}, w.answered)
		assert.Equal(t, map[evidence.Source]int{evidence.Metrics: 1, evidence.Traces: 1}, w.failed)
		assert.Equal(t, []string{"Evidence collected: 0 metrics, 0 traces, 1 log pattern; metrics and traces could not be asked"}, w.told(id))

		w.change(id, incident.Resolved)
		w.run(10*time.Minute, k)
		delete(w.away, evidence.Traces)
		delete(w.away, evidence.Metrics)
		w.run(40*time.Minute, k)
		e, c = w.kept(id)
		assert.Equal(t, evidence.Counts{Metrics: 1, Traces: 1, LogPatterns: 1}, e.Counts(), "completed, behind the end")
		assert.Equal(t, evidence.Ended, c.Stage)
		state := c.Sources[evidence.Traces]
		assert.False(t, state.Away())
		asked := w.asked[evidence.Traces]
		w.run(time.Hour, k)
		assert.Equal(t, asked, w.asked[evidence.Traces], "it stands")

		w.hang = true // and one that does not answer holds the others up for its time-out only
		other := w.incident()
		w.run(time.Minute, k)
		e, c = w.kept(other)
		assert.Equal(t, evidence.Counts{Metrics: 1, LogPatterns: 1}, e.Counts())
		assert.Contains(t, c.Sources[evidence.Traces].Reason, "traces take longer than 10s")
	})
}

// TestAnotherGoesOn has a worker die while it collects.
func TestAnotherGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id := w.incident()
		w.hang = true
		w.run(36*time.Second, w.keeper()) // it ends while Jaeger does not answer
		e, c := w.kept(id)
		assert.Zero(t, e)
		assert.Equal(t, evidence.Opening, c.Stage)
		assert.Empty(t, w.failed, "it was not Jaeger that ended it")
		w.hang = false
		w.run(10*time.Second, w.keeper())
		_, c = w.kept(id)
		assert.Equal(t, evidence.Opening, c.Stage, "nobody knows yet that it died")
		w.run(3*time.Minute, w.keeper())
		e, _ = w.kept(id)
		assert.Equal(t, 3, e.Counts().Total())
		assert.Len(t, w.told(id), 1)
	})
}

func TestReplicasShareTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var ids []string
		for range 5 {
			id := w.incident()
			w.change(id, incident.Resolved)
			ids = append(ids, id)
			<-time.After(time.Second)
		}
		w.run(time.Hour, w.keeper(), w.keeper(), w.keeper())
		for _, id := range ids {
			e, c := w.kept(id)
			assert.Equal(t, 3, e.Counts().Total())
			assert.Equal(t, evidence.Ended, c.Stage)
			assert.Len(t, w.told(id), 1)
		}
		assert.Equal(t, len(ids), w.asked[evidence.Logs], "each once")
	})
}

func TestTheDatabaseIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var faults []error
		k := evidence.NewKeeper(w.store, w.store, evidence.Sources{}, evidence.DefaultSettings(), time.Now,
			evidence.Observer{Round: func(err error) { faults = append(faults, err) }, Asked: w.wasAsked})
		w.run(time.Minute, k)
		require.NotEmpty(t, faults)
		require.NoError(t, faults[0])
		require.NoError(t, w.store.Close())
		w.run(time.Minute, k)
		require.ErrorIs(t, faults[len(faults)-1], state.ErrUnavailable)
	})
}
