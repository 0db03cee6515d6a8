package monitoringapiextension

import (
	"context"
	"errors"
	"math"
	"net/http"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/metricstore"
	"github.com/quantivista/monitoring/internal/problem"
	"github.com/quantivista/monitoring/internal/spanmetrics"
	"github.com/quantivista/monitoring/internal/traceanalysis"
	"github.com/quantivista/monitoring/internal/traces"
)

const (
	defaultAnalyzed = 10
	maxPeriod       = 31 * 24 * time.Hour
	// comparedTraces are searched for errors, of each period.
	comparedTraces = 200
)

// AnalyzeTrace tells where the time of a trace went.
func (s *restServer) AnalyzeTrace(ctx context.Context, request api.AnalyzeTraceRequestObject) (api.AnalyzeTraceResponseObject, error) {
	td, err := s.trace(ctx, "traceId", request.TraceID)
	if err != nil {
		return nil, err
	}
	limit := defaultAnalyzed
	if request.Params.Limit != nil {
		limit = *request.Params.Limit
	}
	analysis := traceanalysis.Analyze(td, limit)
	return api.AnalyzeTrace200JSONResponse(toAnalysis(&analysis)), nil
}

// CompareTraces compares two.
func (s *restServer) CompareTraces(ctx context.Context, request api.CompareTracesRequestObject) (api.CompareTracesResponseObject, error) {
	a, err := s.trace(ctx, "a", request.Params.A)
	if err != nil {
		return nil, err
	}
	b, err := s.trace(ctx, "b", request.Params.B)
	if err != nil {
		return nil, err
	}
	c := traceanalysis.Compare(a, b)
	answer := api.CompareTraces200JSONResponse{
		A: toCompared(&c.A), B: toCompared(&c.B), Operations: []api.ComparedOperation{}, NewErrors: toErrorGroups(c.NewErrors),
	}
	for i := range c.Operations {
		o := &c.Operations[i]
		answer.Operations = append(answer.Operations, api.ComparedOperation{
			Service: o.Service, Operation: o.Name, Kind: o.Kind, A: toShare(o.A), B: toShare(o.B), SelfSecondsMore: o.SelfMore().Seconds(),
		})
	}
	return answer, nil
}

// CompareServicePeriods compares a period with the one before.
func (s *restServer) CompareServicePeriods(ctx context.Context, request api.CompareServicePeriodsRequestObject) (api.CompareServicePeriodsResponseObject, error) {
	jaeger, err := s.traced()
	if err != nil {
		return nil, err
	}
	if err := checkText("service", request.Service); err != nil {
		return nil, err
	}
	start, end, err := periodOf(request.Params.Start, request.Params.End, s.now)
	if err != nil {
		return nil, err
	}
	before := start.Add(start.Sub(end))
	changes, err := spanmetrics.Compare(ctx, s.vector, request.Service, start, end)
	if err != nil {
		return nil, err
	}
	q := traces.Query{Service: request.Service, Attributes: traces.Failed(), Start: before, End: start, Limit: comparedTraces}
	old, err := jaeger.Find(ctx, &q)
	if err != nil {
		return nil, err
	}
	q.Start, q.End = start, end
	current, err := jaeger.Find(ctx, &q)
	if err != nil {
		return nil, err
	}
	answer := api.CompareServicePeriods200JSONResponse{
		Service: request.Service, Start: start, End: end, PreviousStart: before,
		Operations: toChanges(changes), Warnings: []string{},
		NewErrors: toErrorGroups(traceanalysis.NewErrors(traceanalysis.Errors(request.Service, old...), traceanalysis.Errors(request.Service, current...))),
	}
	if len(changes) == 0 {
		answer.Warnings = append(answer.Warnings, "the metric store has no calls of this service in either period: is there a spanmetrics connector before its traces are sampled?")
	}
	if len(old) == comparedTraces || len(current) == comparedTraces {
		answer.Warnings = append(answer.Warnings, "there are more traces that failed than were searched for errors: one that is told as new may be older")
	}
	return answer, nil
}

// ListDependencies tells which service calls which.
func (s *restServer) ListDependencies(ctx context.Context, request api.ListDependenciesRequestObject) (api.ListDependenciesResponseObject, error) {
	start, end, err := periodOf(request.Params.Start, request.Params.End, s.now)
	if err != nil {
		return nil, err
	}
	found, err := spanmetrics.Dependencies(ctx, s.vector, start, end)
	if err != nil {
		return nil, err
	}
	answer := make(api.ListDependencies200JSONResponse, len(found))
	for i := range found {
		d := &found[i]
		answer[i] = api.ServiceDependency{
			Parent: d.Parent, Child: d.Child, ConnectionType: given(d.Connection), CallCount: d.Calls, ErrorCount: d.Errors, P95Seconds: finite(d.P95),
		}
	}
	return answer, nil
}

// vector asks the metric store. A query of our own that fails is no fault of the client's.
func (s *restServer) vector(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
	result, err := s.store.Query(ctx, expr, at)
	switch {
	case errors.Is(err, metricstore.ErrCanceled), ctx.Err() != nil:
		return nil, errors.Join(err, ctx.Err())
	case err != nil:
		return nil, unavailable(err)
	}
	vector, ok := result.Value.(promql.Vector)
	if !ok {
		return nil, unavailable(errors.New("the metric store answers a query for a vector with something else"))
	}
	return vector, nil
}

// periodOf reads a period that metrics are summed up over.
func periodOf(from, to *string, now func() time.Time) (start, end time.Time, _ error) {
	var p parameters
	start, end = p.period(from, to, now)
	if len(p.faults) == 0 && (end.Sub(start) > maxPeriod || end.Sub(start) < time.Second) {
		p.fault("start", `must be at least a second and at most 31 days before "end"`)
	}
	if len(p.faults) > 0 {
		return start, end, problem.Fields(http.StatusBadRequest, p.faults...)
	}
	return start.UTC(), end.UTC(), nil
}

// finite gives nil for what JSON has no number for.
func finite(f float64) *float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return &f
}
