package monitoringapiextension

import (
	"strconv"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/logs"
)

func toLogsQueryResult(result logs.Result) api.QueryLogs200JSONResponse {
	answer := api.QueryLogs200JSONResponse{Status: api.LogsQueryResultStatusSuccess}
	if !result.Metric {
		lines := make([]api.LogLine, len(result.Lines))
		for i := range result.Lines {
			lines[i] = toLogLine(&result.Lines[i])
		}
		answer.Data.ResultType, answer.Data.Lines = api.LogsQueryResultDataResultTypeLines, &lines
		return answer
	}
	series := make([]api.LogSeries, len(result.Series))
	for i, s := range result.Series {
		series[i] = api.LogSeries{Metric: notNil(s.Labels), Values: toLogPoints(s.Points)}
	}
	answer.Data.ResultType, answer.Data.Result = api.LogsQueryResultDataResultTypeMatrix, &series
	return answer
}

func toLogLine(l *logs.Line) api.LogLine {
	line := api.LogLine{
		Timestamp: l.Time,
		Line:      l.Text,
		Severity:  given(l.Severity()),
		TraceID:   given(l.TraceID()),
		SpanID:    given(l.SpanID()),
		Labels:    notNil(l.Labels),
	}
	if len(l.Metadata) > 0 {
		line.Metadata = &l.Metadata
	}
	if len(l.Parsed) > 0 {
		line.Parsed = &l.Parsed
	}
	return line
}

func toLogPoints(points []logs.Point) []api.LogPoint {
	list := make([]api.LogPoint, len(points))
	for i, p := range points {
		list[i] = api.LogPoint{float64(p.Time.UnixMilli()) / 1000, strconv.FormatFloat(p.Value, 'f', -1, 64)}
	}
	return list
}

// notNil is written as {}, not as null.
func notNil(labels map[string]string) map[string]string {
	if labels == nil {
		return map[string]string{}
	}
	return labels
}
