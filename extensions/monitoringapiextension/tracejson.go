package monitoringapiextension

import (
	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/spanmetrics"
	"github.com/quantivista/monitoring/internal/traceanalysis"
)

func toAnalysis(a *traceanalysis.Analysis) api.TraceAnalysis {
	told := api.TraceAnalysis{
		TraceID: a.ID.String(), Start: a.Start, DurationSeconds: a.Duration.Seconds(), Spans: a.Spans,
		Services: []api.TracedServiceShare{}, Roots: toSpans(a.Roots), CriticalPath: []api.CriticalSection{},
		Slowest: toSpans(a.Slowest), Errors: []api.FailedSpan{}, Warnings: a.Warnings,
	}
	for _, s := range a.Services {
		told.Services = append(told.Services, api.TracedServiceShare{Name: s.Service, Spans: s.Spans, Errors: s.Errors, SelfSeconds: s.Self.Seconds()})
	}
	for i := range a.CriticalPath {
		s := &a.CriticalPath[i]
		told.CriticalPath = append(told.CriticalPath, api.CriticalSection{
			SpanID: s.ID.String(), Service: s.Service, Operation: s.Name, StartSeconds: s.Start.Seconds(), DurationSeconds: s.Duration.Seconds(),
		})
	}
	for i := range a.Errors {
		f := &a.Errors[i]
		told.Errors = append(told.Errors, api.FailedSpan{
			SpanID: f.ID.String(), Service: f.Service, Operation: f.Name, Type: f.Type, Message: f.Message, StartSeconds: f.Start.Seconds(),
		})
	}
	return told
}

func toSpans(spans []traceanalysis.Span) []api.AnalyzedSpan {
	told := make([]api.AnalyzedSpan, len(spans))
	for i := range spans {
		s := &spans[i]
		told[i] = api.AnalyzedSpan{
			SpanID: s.ID.String(), Service: s.Service, Operation: s.Name, Kind: s.Kind, StartSeconds: s.Start.Seconds(),
			DurationSeconds: s.Duration.Seconds(), SelfSeconds: s.Self.Seconds(), CriticalSeconds: s.Critical.Seconds(),
		}
	}
	return told
}

func toCompared(a *traceanalysis.Analysis) api.ComparedTrace {
	return api.ComparedTrace{TraceID: a.ID.String(), Start: a.Start, DurationSeconds: a.Duration.Seconds(), Spans: a.Spans}
}

func toShare(f traceanalysis.Figures) api.OperationShare {
	return api.OperationShare{
		Spans: f.Spans, Errors: f.Errors, DurationSeconds: f.Duration.Seconds(), SelfSeconds: f.Self.Seconds(), CriticalSeconds: f.Critical.Seconds(),
	}
}

func toErrorGroups(groups []traceanalysis.ErrorGroup) []api.ErrorGroup {
	told := make([]api.ErrorGroup, len(groups))
	for i := range groups {
		g := &groups[i]
		told[i] = api.ErrorGroup{Service: g.Service, Operation: g.Name, Type: g.Type, Message: g.Message, Count: g.Count, ExampleTraceID: g.Example.String()}
	}
	return told
}

func toChanges(changes []spanmetrics.Change) []api.OperationChange {
	told := make([]api.OperationChange, len(changes))
	for i := range changes {
		c := &changes[i]
		told[i] = api.OperationChange{
			Operation: c.Name, Kind: c.Kind, Verdict: api.OperationChangeVerdict(c.Verdict()), Current: toOperationFigures(c.Current),
			Previous: toOperationFigures(c.Previous), SecondsMore: c.SecondsMore(), NewlyFails: c.NewlyFails(),
		}
	}
	return told
}

func toOperationFigures(f spanmetrics.Figures) api.OperationFigures {
	return api.OperationFigures{Calls: f.Calls, Errors: f.Errors, ErrorRatio: f.ErrorRatio(), MeanSeconds: finite(f.Mean), P95Seconds: finite(f.P95)}
}
