package monitoringapiextension

import (
	"context"

	"go.opentelemetry.io/collector/component"

	"github.com/quantivista/monitoring/api"
)

// CustomMetricsHandler takes the metrics of one request, all or none. Its error may be a *problem.Error, which
// is the answer; any other is answered as a fault of the server.
type CustomMetricsHandler func(ctx context.Context, metrics api.CustomMetrics) error

// CustomMetricsAPI is what the custom_metrics receiver wants of this extension.
type CustomMetricsAPI interface {
	// HandleCustomMetrics gives POST /api/v1/metrics/custom to a handler, until detach is called. There is one
	// handler at a time; a second owner gets an error. Requests that run when detach is called may still end.
	HandleCustomMetrics(owner component.ID, handler CustomMetricsHandler) (detach func(), err error)
}

// HandleCustomMetrics implements CustomMetricsAPI.
func (m *monitoringAPI) HandleCustomMetrics(owner component.ID, handler CustomMetricsHandler) (detach func(), err error) {
	return m.custom.attach("POST /api/v1/metrics/custom", owner, handler)
}

// SubmitCustomMetrics hands the metrics to the attached receiver.
func (s *restServer) SubmitCustomMetrics(ctx context.Context, request api.SubmitCustomMetricsRequestObject) (api.SubmitCustomMetricsResponseObject, error) {
	handler, err := s.custom.attached(s.ready, "custom metrics", "custom_metrics")
	if err != nil {
		return nil, err
	}
	if err := handler(ctx, *request.Body); err != nil {
		return nil, err
	}
	return api.SubmitCustomMetrics201Response{}, nil
}
