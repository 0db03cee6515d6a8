package monitoringapiextension

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configgrpc"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/quantivista/monitoring/internal/problem"
	"github.com/quantivista/monitoring/internal/traces"
)

const (
	defaultJaegerTimeout = 10 * time.Second
	// maxJaegerBackoff is how long a Jaeger that is back may still be taken for away; gRPC's own is 2 minutes.
	maxJaegerBackoff = 5 * time.Second
)

// JaegerConfig is how to reach Jaeger's query service.
type JaegerConfig struct {
	// ClientConfig has the address of jaeger_query's gRPC server; none for no Jaeger.
	configgrpc.ClientConfig `mapstructure:",squash"`
	// Timeout bounds each question to Jaeger.
	Timeout time.Duration `mapstructure:"timeout"`
}

// Validate is configgrpc's, and wants the time-out.
func (c *JaegerConfig) Validate() error {
	var err error
	if c.Timeout <= 0 {
		err = fmt.Errorf(`"timeout" must be positive, is %s`, c.Timeout)
	}
	return errors.Join(err, c.ClientConfig.Validate())
}

// errNoJaeger answers operations on traces where there is no Jaeger.
var errNoJaeger = problem.New(http.StatusNotFound, "no Jaeger is asked for traces: set \"jaeger::endpoint\" of this monitoring_api "+
	"extension to the gRPC address of its query service, such as localhost:16685")

// connectJaeger gives nil where no Jaeger is configured. It does not wait for it.
func (m *monitoringAPI) connectJaeger(ctx context.Context, host component.Host) (traces.Reader, error) {
	cfg := &m.cfg.Jaeger
	if cfg.Endpoint == "" {
		return nil, nil //nolint:nilnil // None is what the config asks for.
	}
	again := backoff.DefaultConfig
	again.MaxDelay = maxJaegerBackoff
	conn, err := cfg.ToClientConn(ctx, host.GetExtensions(), m.set.TelemetrySettings,
		configgrpc.WithGrpcDialOption(grpc.WithConnectParams(grpc.ConnectParams{Backoff: again, MinConnectTimeout: cfg.Timeout})))
	if err != nil {
		return nil, fmt.Errorf("\"jaeger\": %w", err)
	}
	m.jaeger = conn
	return traces.NewJaeger(conn, cfg.Endpoint, cfg.Timeout), nil
}

// disconnectJaeger may be called without connectJaeger, and twice.
func (m *monitoringAPI) disconnectJaeger() {
	if m.jaeger == nil {
		return
	}
	if err := m.jaeger.Close(); err != nil {
		m.set.Logger.Debug("The connection to Jaeger was closed already", zap.Error(err))
	}
	m.jaeger = nil
}

// traced gives Jaeger, or errNoJaeger.
func (s *restServer) traced() (traces.Reader, error) {
	if s.traces == nil {
		return nil, errNoJaeger
	}
	return s.traces, nil
}

// tracesProblem maps what the port of traces answers; nil for anything else.
func tracesProblem(err error) *problem.Error {
	switch {
	case errors.Is(err, traces.ErrNotFound):
		return problem.New(http.StatusNotFound, "%s", err)
	case errors.Is(err, traces.ErrRefused):
		return problem.New(http.StatusBadRequest, "%s", err)
	case errors.Is(err, traces.ErrTooLarge):
		return problem.New(http.StatusUnprocessableEntity, "%s", err)
	case errors.Is(err, traces.ErrTimeout):
		return problem.New(http.StatusGatewayTimeout, "%s", err)
	case errors.Is(err, traces.ErrUnavailable):
		return problem.New(http.StatusBadGateway, "%s", err)
	default:
		return nil
	}
}
