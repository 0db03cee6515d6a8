package monitoringapiextension

import (
	"context"
	"net/http"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
	"github.com/quantivista/monitoring/internal/oncall"
	"github.com/quantivista/monitoring/internal/problem"
)

// ListAlerts tells a page of alerts, those that began last first.
func (s *restServer) ListAlerts(ctx context.Context, request api.ListAlertsRequestObject) (api.ListAlertsResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	query, err := alertQuery(&request.Params)
	if err != nil {
		return nil, err
	}
	list, err := store.Alerts(ctx, query)
	if err != nil {
		return nil, err // What the store refuses is the cursor, or an expression that it cannot search for: it says which.
	}
	remarked, err := remarksOn(ctx, store, list.Alerts...)
	if err != nil {
		return nil, err
	}
	answer := api.ListAlerts200JSONResponse{Body: s.tellAlerts(remarked, list.Alerts)}
	answer.Headers.Link = nextLink(ctx, list.Next)
	return answer, nil
}

func alertQuery(p *api.ListAlertsParams) (alert.Query, error) {
	query := alert.Query{
		Status: alert.Firing, Severity: alert.Severity(deref(p.Severity)),
		From: deref(p.Start), To: deref(p.End), Page: page(p.Limit, p.Cursor),
	}
	switch deref(p.Status) {
	case api.ListAlertsParamsStatusAll:
		query.Status = ""
	case api.ListAlertsParamsStatusResolved:
		query.Status = alert.Resolved
	case api.ListAlertsParamsStatusFiring:
	}
	var err error
	if query.Matchers, err = parseFilters(deref(p.Filter)); err != nil {
		return query, problem.Field(http.StatusBadRequest, "filter", "%s", err)
	}
	return query, nil
}

// GetAlert tells one alert.
func (s *restServer) GetAlert(ctx context.Context, request api.GetAlertRequestObject) (api.GetAlertResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	record, err := store.Alert(ctx, request.AlertID)
	if err != nil {
		return nil, err
	}
	told, err := s.alertWithComments(ctx, store, &record)
	return api.GetAlert200JSONResponse{Body: told, Headers: api.GetAlert200ResponseHeaders{ETag: new(etag(record.Version))}}, err
}

// UpdateAlert resolves an alert by hand, or fires it again.
func (s *restServer) UpdateAlert(ctx context.Context, request api.UpdateAlertRequestObject) (api.UpdateAlertResponseObject, error) {
	store, err := s.stored()
	if err != nil {
		return nil, err
	}
	check, err := ifMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	by, body := author(ctx), request.Body
	change := oncall.AlertChange{Status: alert.Status(body.Status), ResolvedBy: deref(body.ResolvedBy), Comment: deref(body.Comment)}
	if change.ResolvedBy == "" {
		change.ResolvedBy = by
	}
	desk := oncall.Desk{Store: store}
	changed, err := desk.ChangeAlert(ctx, request.AlertID, by, check, change)
	if err != nil {
		return nil, err
	}
	told, err := s.alertWithComments(ctx, store, &changed.Record)
	return api.UpdateAlert200JSONResponse{Body: told, Headers: api.UpdateAlert200ResponseHeaders{ETag: new(etag(changed.Version))}}, err
}

// maxComments is how many comments are told of an alert.
const maxComments = 100

// alertWithComments tells a single alert.
func (s *restServer) alertWithComments(ctx context.Context, store incident.Reader, record *alert.Record) (api.Alert, error) {
	answer, err := s.alert(ctx, store, record)
	if err != nil {
		return answer, err
	}
	comments, err := store.AlertComments(ctx, record.ID, maxComments)
	if len(comments) == 0 {
		return answer, err
	}
	told := make([]api.AlertComment, len(comments))
	for i, c := range comments {
		told[i] = api.AlertComment{ID: c.ID, CreatedAt: c.CreatedAt, CreatedBy: c.CreatedBy, Content: c.Content, IncidentID: given(c.IncidentID)}
	}
	answer.Comments = &told
	return answer, nil
}
