package monitoringapiextension

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/evidence"
)

// GetEvidence tells what explains an incident.
func (s *restServer) GetEvidence(ctx context.Context, request api.GetEvidenceRequestObject) (api.GetEvidenceResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	kept, collection, err := store.Evidence(ctx, request.IncidentID)
	if err != nil {
		return nil, err
	}
	links := evidenceLinks{s.links, evidence.LinkData{IncidentID: request.IncidentID, Start: collection.Start, End: collection.End}}
	answer := api.GetEvidence200JSONResponse{
		IncidentID: request.IncidentID, State: evidenceState(&collection), Sources: evidenceSources(&collection),
		Start: given(collection.Start), End: given(collection.End), CollectedAt: given(collection.CollectedAt),
		Metrics: make([]api.MetricEvidence, len(kept.Metrics)), Traces: make([]api.TraceEvidence, len(kept.Traces)), Logs: make([]api.LogEvidence, len(kept.Logs)),
	}
	for i := range kept.Metrics {
		answer.Metrics[i] = toMetricEvidence(&kept.Metrics[i], links)
	}
	for i := range kept.Traces {
		if answer.Traces[i], err = toTraceEvidence(&kept.Traces[i], links, deref(request.Params.Spans)); err != nil {
			return nil, err
		}
	}
	for i := range kept.Logs {
		answer.Logs[i] = toLogEvidence(&kept.Logs[i], links)
	}
	return answer, nil
}

func evidenceState(c *evidence.Collection) api.IncidentEvidenceState {
	waits := slices.ContainsFunc(evidenceSources(c), func(s api.EvidenceSource) bool { return s.RetryAt != nil })
	switch {
	case c.CollectedAt.IsZero():
		return api.IncidentEvidenceStatePending
	case c.Stage == evidence.Ended && !waits:
		return api.IncidentEvidenceStateComplete
	default:
		return api.IncidentEvidenceStateCollecting
	}
}

func evidenceSources(c *evidence.Collection) []api.EvidenceSource {
	told := []api.EvidenceSource{}
	for _, name := range []evidence.Source{evidence.Logs, evidence.Metrics, evidence.Traces} {
		state, asked := c.Sources[name]
		if !asked {
			continue
		}
		source := api.EvidenceSource{Name: api.EvidenceSourceName(name), State: api.Collected, At: state.At}
		if state.Away() {
			source.State, source.Reason, source.RetryAt = api.Away, &state.Reason, given(state.RetryAt)
		}
		told = append(told, source)
	}
	return told
}

// evidenceLinks makes the links of one incident.
type evidenceLinks struct {
	*evidence.Links
	data evidence.LinkData
}

// of gives the links for what set changes of the data; nil for none.
func (l evidenceLinks) of(set func(*evidence.LinkData)) *api.EvidenceLinks {
	data := l.data
	set(&data)
	var links api.EvidenceLinks
	if data.Query != "" {
		links.Metric = given(l.Metric(&data))
	}
	if data.TraceID != "" {
		links.Trace = given(l.Trace(&data))
	}
	if data.Pattern != "" {
		links.Logs = given(l.Logs(&data))
	}
	return given(links)
}

func toMetricEvidence(m *evidence.Metric, links evidenceLinks) api.MetricEvidence {
	told := api.MetricEvidence{
		AlertID: m.AlertID, AlertName: m.AlertName, Service: given(m.Service), Severity: api.AlertSeverity(m.Severity), StartsAt: m.StartsAt,
		Expression: m.Expression, Query: given(m.Query), Note: given(m.Note), Series: make([]api.EvidenceSeries, len(m.Series)),
		Links: links.of(func(data *evidence.LinkData) {
			data.Service, data.Query, data.Expression, data.Start, data.End = m.Service, m.Query, m.Expression, m.Start, m.End
		}),
	}
	if m.Threshold != nil {
		told.Threshold = &struct {
			Op    string  `json:"op"`
			Value float64 `json:"value"`
		}{m.Threshold.Op, m.Threshold.Value}
	}
	for i := range m.Series {
		series := api.EvidenceSeries{Labels: m.Series[i].Labels, Values: make([]api.EvidencePoint, len(m.Series[i].Points))}
		for j, p := range m.Series[i].Points {
			series.Values[j] = api.EvidencePoint{T: p.At, V: p.Value}
		}
		told.Series[i] = series
	}
	return told
}

func toTraceEvidence(t *evidence.Trace, links evidenceLinks, spans bool) (api.TraceEvidence, error) {
	told := api.TraceEvidence{
		TraceID: t.TraceID, Reason: api.TraceEvidenceReason(t.Reason), Service: given(t.Service),
		RootService: given(t.RootService), RootOperation: given(t.RootOperation), StartedAt: given(t.StartedAt),
		Links: links.of(func(data *evidence.LinkData) { data.TraceID, data.Service = t.TraceID, t.Service }),
	}
	if t.Exemplar != nil {
		told.Exemplar = &struct {
			At     time.Time `json:"at"`
			Series string    `json:"series"`
			Value  float64   `json:"value"`
		}{t.Exemplar.At, t.Exemplar.Series, t.Exemplar.Value}
	}
	if t.Spans == 0 {
		return told, nil
	}
	told.DurationSeconds, told.Spans, told.Errors, told.KeptSpans = new(t.Duration.Seconds()), &t.Spans, &t.Errors, &t.Kept
	failures := make([]api.SpanFailure, len(t.Failures))
	for i, f := range t.Failures {
		failures[i] = api.SpanFailure{Service: f.Service, Operation: f.Operation, Message: given(f.Message)}
	}
	told.Failures = &failures
	if !spans || len(t.OTLP) == 0 {
		return told, nil
	}
	told.Otlp = new(api.TracesData)
	return told, json.Unmarshal(t.OTLP, told.Otlp)
}

func toLogEvidence(p *evidence.LogPattern, links evidenceLinks) api.LogEvidence {
	told := api.LogEvidence{
		Service: p.Service, Pattern: p.Pattern, Severity: given(p.Severity), Count: p.Count, AtLeast: p.AtLeast,
		FirstSeen: p.FirstSeen, LastSeen: p.LastSeen, Example: p.Example, TraceID: given(p.TraceID),
		Links: links.of(func(data *evidence.LinkData) {
			data.Service, data.Pattern, data.TraceID = p.Service, p.Pattern, p.TraceID
		}),
	}
	if len(p.Labels) > 0 {
		told.Labels = &p.Labels
	}
	return told
}

// evidenceCounts is nil where there is none.
func evidenceCounts(c evidence.Counts) *api.EvidenceCounts {
	return given(api.EvidenceCounts{Metrics: c.Metrics, Traces: c.Traces, LogPatterns: c.LogPatterns})
}
