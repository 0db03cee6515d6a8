package monitoringapiextension

import (
	"context"
	"net/http"

	"go.opentelemetry.io/collector/component"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/alert"
)

// AlertsHandler is what takes alerts that clients post.
type AlertsHandler interface {
	// Raise stores an alert at once, and gives it as it is stored. by is the client. Its error may be a *problem.Error,
	// which is the answer.
	Raise(ctx context.Context, definition *api.AlertDefinition, by string) (alert.Record, error)
	// PostAlerts serves POST /api/v2/alerts of Alertmanager's API, the path's prefix aside.
	PostAlerts(w http.ResponseWriter, r *http.Request)
}

// AlertsAPI is what the alert receiver wants of this extension.
type AlertsAPI interface {
	// HandleAlerts gives POST /api/v1/alerts and POST /alertmanager/api/v2/alerts to a handler, until detach is called.
	// There is one handler at a time; a second owner gets an error. Requests that run when detach is called may still
	// end.
	HandleAlerts(owner component.ID, handler AlertsHandler) (detach func(), err error)
}

// HandleAlerts implements AlertsAPI.
func (m *monitoringAPI) HandleAlerts(owner component.ID, handler AlertsHandler) (detach func(), err error) {
	return m.alerts.attach("POST /api/v1/alerts", owner, handler)
}

// CreateAlert hands an alert to the attached receiver.
func (s *restServer) CreateAlert(ctx context.Context, request api.CreateAlertRequestObject) (api.CreateAlertResponseObject, error) {
	handler, err := s.alerts.attached(s.ready, "alerts", "alert")
	if err != nil {
		return nil, err
	}
	record, err := handler.Raise(ctx, request.Body, author(ctx))
	if err != nil {
		return nil, err
	}
	return api.CreateAlert201JSONResponse{Body: toAlert(&record), Headers: api.CreateAlert201ResponseHeaders{
		ETag: new(etag(record.Version)), Location: new("/api/v1/alerts/" + record.ID),
	}}, nil
}
