package monitoringapiextension

import (
	"context"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/oncall"
)

// LinkAlerts adds alerts to an incident.
func (s *restServer) LinkAlerts(ctx context.Context, request api.LinkAlertsRequestObject) (api.LinkAlertsResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	check, err := ifMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	desk := oncall.Desk{Store: store}
	in, err := desk.Link(ctx, request.IncidentID, author(ctx), check, request.Body.Ids)
	if err != nil {
		return nil, unknownIDs("ids", err)
	}
	told, err := s.incident(ctx, store, &in)
	return api.LinkAlerts200JSONResponse{Body: told, Headers: api.LinkAlerts200ResponseHeaders{ETag: new(etag(in.Version))}}, err
}

// UnlinkAlert takes an alert from an incident.
func (s *restServer) UnlinkAlert(ctx context.Context, request api.UnlinkAlertRequestObject) (api.UnlinkAlertResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	check, err := ifMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	desk := oncall.Desk{Store: store}
	in, err := desk.Unlink(ctx, request.IncidentID, author(ctx), check, request.AlertID)
	if err != nil {
		return nil, err
	}
	told, err := s.incident(ctx, store, &in)
	return api.UnlinkAlert200JSONResponse{Body: told, Headers: api.UnlinkAlert200ResponseHeaders{ETag: new(etag(in.Version))}}, err
}

// MergeIncidents makes incidents part of another.
func (s *restServer) MergeIncidents(ctx context.Context, request api.MergeIncidentsRequestObject) (api.MergeIncidentsResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	check, err := ifMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	desk := oncall.Desk{Store: store}
	in, err := desk.Merge(ctx, request.IncidentID, author(ctx), check, oncall.Merge{
		From: request.Body.From, Comment: deref(request.Body.Comment),
	})
	if err != nil {
		return nil, unknownIDs("from", err)
	}
	told, err := s.incident(ctx, store, &in)
	return api.MergeIncidents200JSONResponse{Body: told, Headers: api.MergeIncidents200ResponseHeaders{ETag: new(etag(in.Version))}}, err
}
