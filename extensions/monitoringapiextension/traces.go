package monitoringapiextension

import (
	"context"
	"errors"
	"net/http"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/problem"
	"github.com/quantivista/monitoring/internal/traces"
)

const (
	defaultTraces = 20
	defaultPeriod = time.Hour
)

// otlpJSON is traces as OTLP writes them.
type otlpJSON []byte

// encode puts the traces one after the other.
func encode(list ...ptrace.Traces) (otlpJSON, error) {
	all := ptrace.NewTraces()
	for _, td := range list {
		td.ResourceSpans().MoveAndAppendTo(all.ResourceSpans())
	}
	return new(ptrace.JSONMarshaler).MarshalTraces(all)
}

func (body otlpJSON) write(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(body)
	return err
}

// VisitFindTracesResponse writes the answer.
func (body otlpJSON) VisitFindTracesResponse(w http.ResponseWriter) error { return body.write(w) }

// VisitGetTraceResponse writes the answer.
func (body otlpJSON) VisitGetTraceResponse(w http.ResponseWriter) error { return body.write(w) }

// FindTraces searches.
func (s *restServer) FindTraces(ctx context.Context, request api.FindTracesRequestObject) (api.FindTracesResponseObject, error) {
	jaeger, err := s.traced()
	if err != nil {
		return nil, err
	}
	query, err := tracesQuery(&request.Params, s.now)
	if err != nil {
		return nil, err
	}
	found, err := jaeger.Find(ctx, query)
	if err != nil {
		return nil, err
	}
	return encode(found...)
}

// GetTrace gives one.
func (s *restServer) GetTrace(ctx context.Context, request api.GetTraceRequestObject) (api.GetTraceResponseObject, error) {
	td, err := s.trace(ctx, "traceId", request.TraceID)
	if err != nil {
		return nil, err
	}
	return encode(td)
}

// trace asks for the trace that a parameter names.
func (s *restServer) trace(ctx context.Context, field, value string) (ptrace.Traces, error) {
	jaeger, err := s.traced()
	if err != nil {
		return ptrace.Traces{}, err
	}
	id, err := traces.ParseID(value)
	if err != nil {
		return ptrace.Traces{}, problem.Field(http.StatusBadRequest, field, "%s", err)
	}
	return jaeger.Get(ctx, id)
}

// ListTracedServices lists services.
func (s *restServer) ListTracedServices(ctx context.Context, _ api.ListTracedServicesRequestObject) (api.ListTracedServicesResponseObject, error) {
	jaeger, err := s.traced()
	if err != nil {
		return nil, err
	}
	names, err := jaeger.Services(ctx)
	return api.ListTracedServices200JSONResponse(append([]string{}, names...)), err
}

// ListTracedOperations lists the operations of a service.
func (s *restServer) ListTracedOperations(ctx context.Context, request api.ListTracedOperationsRequestObject) (api.ListTracedOperationsResponseObject, error) {
	jaeger, err := s.traced()
	if err != nil {
		return nil, err
	}
	if err := checkText("service", request.Service); err != nil {
		return nil, err
	}
	operations, err := jaeger.Operations(ctx, request.Service)
	answer := make(api.ListTracedOperations200JSONResponse, len(operations))
	for i, o := range operations {
		answer[i] = api.TracedOperation{Name: o.Name, Kind: o.Kind}
	}
	return answer, err
}

func tracesQuery(p *api.FindTracesParams, now func() time.Time) (*traces.Query, error) {
	var collected parameters
	q := &traces.Query{Service: p.Service, Operation: deref(p.Operation), Limit: defaultTraces}
	if p.Limit != nil {
		q.Limit = *p.Limit
	}
	collected.text("service", q.Service)
	collected.text("operation", q.Operation)
	q.Start, q.End = collected.period(p.Start, p.End, now)
	q.MinDuration = collected.duration("minDuration", p.MinDuration)
	q.MaxDuration = collected.duration("maxDuration", p.MaxDuration)
	if p.MaxDuration != nil && q.MaxDuration < q.MinDuration {
		collected.fault("maxDuration", `must not be less than "minDuration"`)
	}
	if p.Tags != nil {
		var err error
		if q.Attributes, err = traces.ParseTags(*p.Tags); err != nil {
			collected.fault("tags", err.Error())
		}
		collected.text("tags", *p.Tags)
	}
	if len(collected.faults) > 0 {
		return nil, problem.Fields(http.StatusBadRequest, collected.faults...)
	}
	return q, nil
}

// period gives the hour before now where nothing is asked for.
func (p *parameters) period(from, to *string, now func() time.Time) (start, end time.Time) {
	end = now()
	if to != nil {
		end = p.time("end", *to)
	}
	start = end.Add(-defaultPeriod)
	if from != nil {
		start = p.time("start", *from)
	}
	if len(p.faults) == 0 && !start.Before(end) {
		p.fault("start", `must be before "end"`)
	}
	return start, end
}

func (p *parameters) duration(field string, value *string) time.Duration {
	if value == nil {
		return 0
	}
	d, err := time.ParseDuration(*value)
	if err != nil || d <= 0 {
		p.fault(field, "must be a positive duration such as 1.5s, 250ms or 80us")
	}
	return d
}

var errText = errors.New("must be UTF-8")

func (p *parameters) text(field, value string) {
	if !utf8.ValidString(value) {
		p.fault(field, errText.Error())
	}
}

// checkText refuses what Jaeger's protocol cannot carry.
func checkText(field, value string) error {
	if !utf8.ValidString(value) {
		return problem.Field(http.StatusBadRequest, field, "%s", errText)
	}
	return nil
}
