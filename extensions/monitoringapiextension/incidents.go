package monitoringapiextension

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/oncall"
	"github.com/quantivista/monitoring/internal/problem"
)

// The alerts that are told of an incident, alone and in a list.
const (
	maxRelatedAlerts       = 100
	maxRelatedAlertsInList = 10
)

// ListIncidents tells a page of incidents, the newest first.
func (s *restServer) ListIncidents(ctx context.Context, request api.ListIncidentsRequestObject) (api.ListIncidentsResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	p := request.Params
	list, err := store.Incidents(ctx, incident.Query{
		Statuses: incidentStatuses(p.Status), Severity: alert.Severity(deref(p.Severity)), AssignedTo: deref(p.AssignedTo),
		From: deref(p.Start), To: deref(p.End), Page: page(p.Limit, p.Cursor),
	})
	if err != nil {
		return nil, pageError(err)
	}
	ids := make([]string, len(list.Incidents))
	for i := range list.Incidents {
		ids[i] = list.Incidents[i].ID
	}
	related, err := store.RelatedAlerts(ctx, ids, maxRelatedAlertsInList)
	if err != nil {
		return nil, err
	}
	all, err := s.incidents(ctx, store, ids, related)
	if err != nil {
		return nil, err
	}
	answer := api.ListIncidents200JSONResponse{Body: make([]api.Incident, len(ids))}
	for i := range list.Incidents {
		answer.Body[i] = all(&list.Incidents[i].Incident)
	}
	answer.Headers.Link = nextLink(ctx, list.Next)
	return answer, nil
}

// incidentStatuses gives the statuses of a filter; none are all.
func incidentStatuses(filter *api.ListIncidentsParamsStatus) []incident.Status {
	switch deref(filter) {
	case api.ListIncidentsParamsStatusActive:
		return []incident.Status{incident.Open, incident.Investigating, incident.Mitigated}
	case api.ListIncidentsParamsStatusResolved:
		return []incident.Status{incident.Resolved}
	default:
		return nil
	}
}

// CreateIncident opens an incident.
func (s *restServer) CreateIncident(ctx context.Context, request api.CreateIncidentRequestObject) (api.CreateIncidentResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	body := request.Body
	desk := oncall.Desk{Store: store}
	in, err := desk.Open(ctx, author(ctx), &oncall.NewIncident{
		Title: body.Title, Description: deref(body.Description), Severity: alert.Severity(body.Severity),
		AffectedServices: deref(body.AffectedServices), AlertIDs: deref(body.RelatedAlerts),
	})
	if err != nil {
		return nil, unknownIDs("relatedAlerts", err)
	}
	told, err := s.incident(ctx, store, &in)
	return api.CreateIncident201JSONResponse{Body: told, Headers: api.CreateIncident201ResponseHeaders{
		ETag: new(etag(in.Version)), Location: new("/api/v1/incidents/" + in.ID),
	}}, err
}

// GetIncident tells one incident.
func (s *restServer) GetIncident(ctx context.Context, request api.GetIncidentRequestObject) (api.GetIncidentResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	in, err := store.Incident(ctx, request.IncidentID)
	if err != nil {
		return nil, err
	}
	told, err := s.incident(ctx, store, &in)
	return api.GetIncident200JSONResponse{Body: told, Headers: api.GetIncident200ResponseHeaders{ETag: new(etag(in.Version))}}, err
}

// UpdateIncident changes status and assignee, and takes a comment.
func (s *restServer) UpdateIncident(ctx context.Context, request api.UpdateIncidentRequestObject) (api.UpdateIncidentResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	check, err := ifMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	desk := oncall.Desk{Store: store}
	in, err := desk.Change(ctx, request.IncidentID, author(ctx), check, oncall.IncidentChange{
		Status: incident.Status(request.Body.Status), Comment: deref(request.Body.Comment), AssignedTo: request.Body.AssignedTo,
	})
	if err != nil {
		return nil, err
	}
	told, err := s.incident(ctx, store, &in)
	return api.UpdateIncident200JSONResponse{Body: told, Headers: api.UpdateIncident200ResponseHeaders{ETag: new(etag(in.Version))}}, err
}

// unknownIDs names the field of a body where an error is about ids in it.
func unknownIDs(field string, err error) error {
	var unknownAlert *oncall.UnknownAlertError
	var unknownIncident *oncall.UnknownIncidentError
	switch {
	case errors.As(err, &unknownAlert):
		return problem.Field(http.StatusBadRequest, field, "must be ids of stored alerts: %s", unknownAlert)
	case errors.As(err, &unknownIncident):
		return problem.Field(http.StatusBadRequest, field, "must be ids of other stored incidents: %s", unknownIncident)
	default:
		return err
	}
}

// incident tells an incident with its alerts and what there is to say on them.
func (s *restServer) incident(ctx context.Context, store stateStore, in *incident.Incident) (api.Incident, error) {
	ids := []string{in.ID}
	related, err := store.RelatedAlerts(ctx, ids, maxRelatedAlerts)
	if err != nil {
		return api.Incident{}, err
	}
	tell, err := s.incidents(ctx, store, ids, related)
	if err != nil {
		return api.Incident{}, err
	}
	return tell(in), nil
}

// incidents reads what there is to say on incidents and their alerts, and gives what tells one of them.
func (s *restServer) incidents(ctx context.Context, store stateStore, ids []string, related map[string][]alert.Record) (func(*incident.Incident) api.Incident, error) {
	remarked, err := remarksOn(ctx, store, slices.Concat(slices.Collect(maps.Values(related))...)...)
	if err != nil {
		return nil, err
	}
	acknowledgements, err := store.IncidentAcknowledgements(ctx, ids)
	if err != nil {
		return nil, err
	}
	counts, err := store.EvidenceCounts(ctx, ids)
	if err != nil {
		return nil, err
	}
	now := s.now()
	return func(in *incident.Incident) api.Incident {
		told := toIncident(in, s.tellAlerts(remarked, related[in.ID]))
		if a, ok := acknowledgements[in.ID]; ok && a.HoldsForIncident(in, now) {
			told.Acknowledgement = acknowledgement(&a)
		}
		told.Evidence = evidenceCounts(counts[in.ID])
		return told
	}, nil
}

func toIncident(in *incident.Incident, alerts []api.Alert) api.Incident {
	services := in.AffectedServices
	if services == nil {
		services = []string{}
	}
	return api.Incident{
		ID: in.ID, Title: in.Title, Description: given(in.Description),
		Severity: api.IncidentSeverity(in.Severity), Status: api.IncidentStatus(in.Status),
		CreatedAt: in.CreatedAt, UpdatedAt: new(in.UpdatedAt), ResolvedAt: given(in.ResolvedAt),
		CreatedBy: new(in.CreatedBy), AssignedTo: given(in.AssignedTo), MergedInto: given(in.MergedInto),
		AffectedServices: &services, RelatedAlerts: &alerts,
	}
}
