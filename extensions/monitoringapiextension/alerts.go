package monitoringapiextension

import (
	"context"
	"net/http"

	"go.uber.org/zap"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/extensions/monitoringapiextension/internal/oncall"
	"github.com/quantivista/monitoring/internal/alert"
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
	answer := api.ListAlerts200JSONResponse{Body: make([]api.Alert, len(list.Alerts))}
	for i := range list.Alerts {
		answer.Body[i] = toAlert(&list.Alerts[i])
	}
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
	for _, filter := range deref(p.Filter) {
		matchers, err := parseMatchers(filter)
		if err != nil {
			return query, problem.Field(http.StatusBadRequest, "filter", "%s", err)
		}
		query.Matchers = append(query.Matchers, matchers...)
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
	return api.GetAlert200JSONResponse{Body: toAlert(&record), Headers: api.GetAlert200ResponseHeaders{ETag: new(etag(record.Version))}}, nil
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
	if changed.IncidentID == "" && change.Comment != "" {
		s.logger.Info("Someone commented on an alert that is in no incident", zap.String("alert", changed.ID),
			zap.String("name", changed.Name()), zap.String("author", by), zap.String("comment", change.Comment))
	}
	return api.UpdateAlert200JSONResponse{
		Body: toAlert(&changed.Record), Headers: api.UpdateAlert200ResponseHeaders{ETag: new(etag(changed.Version))},
	}, nil
}
