package monitoringapiextension

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"go.opentelemetry.io/collector/component"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/problem"
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

// customMetrics holds the attached handler.
type customMetrics struct {
	mu      sync.RWMutex
	owner   component.ID
	handler CustomMetricsHandler
}

func (c *customMetrics) attach(owner component.ID, handler CustomMetricsHandler) (detach func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handler != nil {
		return nil, fmt.Errorf("receivers %q and %q both want POST /api/v1/metrics/custom of one monitoring_api extension: "+
			"keep one of them, or give each an extension of its own by \"api\"", c.owner, owner)
	}
	c.owner, c.handler = owner, handler
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.handler = nil
	}), nil
}

func (c *customMetrics) attached() CustomMetricsHandler {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.handler
}

// SubmitCustomMetrics hands the metrics to the attached receiver.
func (s *restServer) SubmitCustomMetrics(ctx context.Context, request api.SubmitCustomMetricsRequestObject) (api.SubmitCustomMetricsResponseObject, error) {
	handler := s.custom.attached()
	switch {
	case handler == nil && !s.ready():
		d := problem.New(http.StatusServiceUnavailable, "the pipelines are not running yet, or no longer")
		d.RetryAfter = retryAfter
		return nil, d
	case handler == nil:
		return nil, problem.New(http.StatusNotFound, "no pipeline takes custom metrics: declare a \"custom_metrics\" receiver "+
			"and list it in the \"receivers\" of a metrics pipeline")
	}
	if err := handler(ctx, *request.Body); err != nil {
		return nil, err
	}
	return api.SubmitCustomMetrics201Response{}, nil
}
