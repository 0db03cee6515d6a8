package monitoringapiextension

import (
	"context"
	"net/http"
	"strings"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/logs"
	"github.com/quantivista/monitoring/internal/problem"
)

const (
	defaultLines   = 100
	defaultVolumes = 100
)

// QueryLogs evaluates LogQL.
func (s *restServer) QueryLogs(ctx context.Context, request api.QueryLogsRequestObject) (api.QueryLogsResponseObject, error) {
	loki, err := s.logged()
	if err != nil {
		return nil, err
	}
	var p parameters
	asked := &request.Params
	q := logs.Query{LogQL: asked.Query, Limit: defaultLines, Forward: asked.Direction != nil && *asked.Direction == api.Forward}
	if asked.Limit != nil {
		q.Limit = *asked.Limit
	}
	if asked.Step != nil {
		q.Step = p.step(*asked.Step)
	}
	p.text("query", q.LogQL)
	q.Start, q.End = p.period(asked.Start, asked.End, s.now)
	if len(p.faults) > 0 {
		return nil, problem.Fields(http.StatusBadRequest, p.faults...)
	}
	result, err := loki.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	return toLogsQueryResult(result), nil
}

// ListLogLabels lists names.
func (s *restServer) ListLogLabels(ctx context.Context, request api.ListLogLabelsRequestObject) (api.ListLogLabelsResponseObject, error) {
	loki, err := s.logged()
	if err != nil {
		return nil, err
	}
	selection, err := s.selection(request.Params.Query, request.Params.Start, request.Params.End)
	if err != nil {
		return nil, err
	}
	names, err := loki.Labels(ctx, selection)
	return api.ListLogLabels200JSONResponse(append([]string{}, names...)), err
}

// ListLogLabelValues lists the values of one.
func (s *restServer) ListLogLabelValues(ctx context.Context, request api.ListLogLabelValuesRequestObject) (api.ListLogLabelValuesResponseObject, error) {
	loki, err := s.logged()
	if err != nil {
		return nil, err
	}
	if err := checkText("name", request.Name); err != nil {
		return nil, err
	}
	selection, err := s.selection(request.Params.Query, request.Params.Start, request.Params.End)
	if err != nil {
		return nil, err
	}
	values, err := loki.LabelValues(ctx, request.Name, selection)
	return api.ListLogLabelValues200JSONResponse(append([]string{}, values...)), err
}

// ListLogPatterns finds patterns.
func (s *restServer) ListLogPatterns(ctx context.Context, request api.ListLogPatternsRequestObject) (api.ListLogPatternsResponseObject, error) {
	loki, err := s.logged()
	if err != nil {
		return nil, err
	}
	selection, err := s.selection(&request.Params.Query, request.Params.Start, request.Params.End)
	if err != nil {
		return nil, err
	}
	patterns, err := loki.Patterns(ctx, selection)
	answer := make(api.ListLogPatterns200JSONResponse, len(patterns))
	for i, found := range patterns {
		points := toLogPoints(found.Points)
		answer[i] = api.LogPattern{Pattern: found.Text, Level: given(found.Level), Total: found.Total, Samples: &points}
	}
	return answer, err
}

// GetLogVolume sums up.
func (s *restServer) GetLogVolume(ctx context.Context, request api.GetLogVolumeRequestObject) (api.GetLogVolumeResponseObject, error) {
	loki, err := s.logged()
	if err != nil {
		return nil, err
	}
	selection, err := s.selection(&request.Params.Query, request.Params.Start, request.Params.End)
	if err != nil {
		return nil, err
	}
	q := logs.VolumeQuery{Selection: selection, Limit: defaultVolumes}
	if request.Params.Limit != nil {
		q.Limit = *request.Params.Limit
	}
	if by := request.Params.By; by != nil {
		if err := checkText("by", *by); err != nil {
			return nil, err
		}
		q.By = strings.Split(*by, ",")
	}
	volumes, err := loki.Volume(ctx, q)
	answer := make(api.GetLogVolume200JSONResponse, len(volumes))
	for i, v := range volumes {
		answer[i] = api.LogVolume{Labels: notNil(v.Labels), Bytes: v.Bytes}
	}
	return answer, err
}

// selection reads the parameters that most operations on logs have.
func (s *restServer) selection(selector, start, end *string) (logs.Selection, error) {
	var p parameters
	selection := logs.Selection{Selector: deref(selector)}
	p.text("query", selection.Selector)
	selection.Start, selection.End = p.period(start, end, s.now)
	if len(p.faults) > 0 {
		return logs.Selection{}, problem.Fields(http.StatusBadRequest, p.faults...)
	}
	return selection, nil
}
