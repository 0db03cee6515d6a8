package monitoringapiextension

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/quantivista/monitoring/internal/logs"
	"github.com/quantivista/monitoring/internal/problem"
)

const defaultLokiTimeout = 30 * time.Second

// LokiConfig is how to reach Loki.
type LokiConfig struct {
	// ClientConfig has Loki's base URL; none for no Loki.
	confighttp.ClientConfig `mapstructure:",squash"`
}

// Validate wants the base URL, and a time-out.
func (c *LokiConfig) Validate() error {
	if c.Endpoint == "" {
		return nil
	}
	u, err := url.Parse(c.Endpoint)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return errors.New(`"endpoint" must be Loki's base URL, such as http://localhost:3100`)
	}
	if c.Timeout <= 0 {
		return fmt.Errorf(`"timeout" must be positive, is %s`, c.Timeout)
	}
	return nil
}

// errNoLoki answers operations on logs where there is no Loki.
var errNoLoki = problem.New(http.StatusNotFound, "no Loki is asked for logs: set \"loki::endpoint\" of this monitoring_api "+
	"extension, such as http://localhost:3100")

// connectLoki gives nil where no Loki is configured. It does not wait for it.
func (m *monitoringAPI) connectLoki(ctx context.Context, host component.Host) (logs.Reader, error) {
	cfg := &m.cfg.Loki
	if cfg.Endpoint == "" {
		return nil, nil //nolint:nilnil // None is what the config asks for.
	}
	client, err := cfg.ToClient(ctx, host.GetExtensions(), m.set.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("\"loki\": %w", err)
	}
	m.loki = logs.NewLoki(cfg.Endpoint, client)
	return m.loki, nil
}

// disconnectLoki may be called without connectLoki, and twice.
func (m *monitoringAPI) disconnectLoki() {
	if m.loki != nil {
		m.loki.Close()
		m.loki = nil
	}
}

// logged gives Loki, or errNoLoki.
func (s *restServer) logged() (logs.Reader, error) {
	if s.logs == nil {
		return nil, errNoLoki
	}
	return s.logs, nil
}

// logsProblem maps what the port of logs answers; nil for anything else.
func logsProblem(err error) *problem.Error {
	var refused *logs.RefusedError
	switch {
	case errors.As(err, &refused):
		return refusedProblem(refused)
	case errors.Is(err, logs.ErrTimeout):
		return problem.New(http.StatusGatewayTimeout, "%s", err)
	case errors.Is(err, logs.ErrUnavailable):
		return problem.New(http.StatusBadGateway, "%s", err)
	default:
		return nil
	}
}

// refusedProblem passes Loki's answer on, with its status where the contract has it.
func refusedProblem(refused *logs.RefusedError) *problem.Error {
	switch refused.Status {
	case http.StatusNotFound:
		return problem.New(http.StatusNotFound, "Loki does not offer this: %s", refused.Message)
	case http.StatusTooManyRequests:
		d := problem.New(http.StatusTooManyRequests, "%s", refused)
		d.RetryAfter = retryAfter
		return d
	case http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
		return problem.New(http.StatusUnprocessableEntity, "%s", refused)
	}
	if strings.Contains(refused.Message, "parse error") {
		return problem.Field(http.StatusBadRequest, "query", "%s", refused.Message)
	}
	return problem.New(http.StatusBadRequest, "%s", refused)
}
