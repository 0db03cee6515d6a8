package monitoringapiextension

import (
	"context"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/oncall"
)

// GetTimeline tells a page of an incident's events, in their sequence.
func (s *restServer) GetTimeline(ctx context.Context, request api.GetTimelineRequestObject) (api.GetTimelineResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	timeline, err := store.Timeline(ctx, request.IncidentID, page(request.Params.Limit, request.Params.Cursor))
	if err != nil {
		return nil, pageError(err)
	}
	answer := api.GetTimeline200JSONResponse{Body: make([]api.TimelineEvent, len(timeline.Events))}
	for i := range timeline.Events {
		answer.Body[i] = toTimelineEvent(&timeline.Events[i])
	}
	answer.Headers.Link = nextLink(ctx, timeline.Next)
	return answer, nil
}

// AddTimelineEvent adds an event of any type.
func (s *restServer) AddTimelineEvent(ctx context.Context, request api.AddTimelineEventRequestObject) (api.AddTimelineEventResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	desk := oncall.Desk{Store: store}
	event, err := desk.Note(ctx, incident.TimelineEvent{
		IncidentID: request.IncidentID, Type: incident.EventType(request.Body.Type), Content: request.Body.Content,
		CreatedBy: author(ctx), Metadata: deref(request.Body.Metadata),
	})
	if err != nil {
		return nil, err
	}
	return api.AddTimelineEvent201JSONResponse(toTimelineEvent(&event)), nil
}

func toTimelineEvent(e *incident.TimelineEvent) api.TimelineEvent {
	answer := api.TimelineEvent{
		ID: e.ID, IncidentID: e.IncidentID, Timestamp: e.Timestamp, Type: api.TimelineEventType(e.Type),
		Content: e.Content, CreatedBy: new(e.CreatedBy),
	}
	if e.Metadata != nil {
		answer.Metadata = &e.Metadata
	}
	return answer
}
