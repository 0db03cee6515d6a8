package otlpreceiver

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/xconsumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"
	"google.golang.org/grpc"
)

// profilesURLPath cannot be configured, as it cannot in the Collector's receiver.
const profilesURLPath = "/v1development/profiles"

// otlpReceiver has one server a protocol. A signal without a consumer is not served.
type otlpReceiver struct {
	cfg *Config
	set receiver.Settings

	traces   consumer.Traces
	metrics  consumer.Metrics
	logs     consumer.Logs
	profiles xconsumer.Profiles

	overGRPC, overHTTP *receiverhelper.ObsReport
	workspaces         workspaces

	grpcServer *grpc.Server
	httpServer *http.Server
	serving    sync.WaitGroup
}

func newReceiver(cfg *Config, set receiver.Settings) (*otlpReceiver, error) {
	overGRPC, err := newReport(set, "grpc")
	if err != nil {
		return nil, err
	}
	overHTTP, err := newReport(set, "http")
	if err != nil {
		return nil, err
	}
	return &otlpReceiver{cfg: cfg, set: set, overGRPC: overGRPC, overHTTP: overHTTP}, nil
}

func newReport(set receiver.Settings, transport string) (*receiverhelper.ObsReport, error) {
	return receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{ReceiverID: set.ID, Transport: transport, ReceiverCreateSettings: set})
}

func (r *otlpReceiver) Start(ctx context.Context, host component.Host) error {
	if err := r.startGRPC(ctx, host); err != nil {
		return err
	}
	if err := r.startHTTP(ctx, host); err != nil {
		return errors.Join(err, r.Shutdown(ctx))
	}
	return nil
}

func (r *otlpReceiver) startGRPC(ctx context.Context, host component.Host) error {
	if !r.cfg.GRPC.HasValue() {
		return nil
	}
	cfg := r.cfg.GRPC.Get()
	server, err := cfg.ToServer(ctx, host.GetExtensions(), r.set.TelemetrySettings)
	if err != nil {
		return err
	}
	r.registerServices(server)
	listener, err := cfg.NetAddr.Listen(ctx)
	if err != nil {
		return err
	}
	r.grpcServer = server
	r.serve(host, "gRPC", listener, server.Serve)
	return nil
}

func (r *otlpReceiver) startHTTP(ctx context.Context, host component.Host) error {
	if !r.cfg.HTTP.HasValue() {
		return nil
	}
	cfg := r.cfg.HTTP.Get()
	server, err := cfg.ServerConfig.ToServer(ctx, host.GetExtensions(), r.set.TelemetrySettings, r.httpHandler(),
		confighttp.WithErrorHandler(writeServerError))
	if err != nil {
		return err
	}
	listener, err := cfg.ServerConfig.ToListener(ctx)
	if err != nil {
		return err
	}
	r.httpServer = server
	r.serve(host, "HTTP", listener, server.Serve)
	return nil
}

func (r *otlpReceiver) serve(host component.Host, protocol string, listener net.Listener, serve func(net.Listener) error) {
	r.set.Logger.Info("Taking OTLP", zap.String("protocol", protocol), zap.String("endpoint", listener.Addr().String()))
	r.serving.Go(func() {
		if err := serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) && !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
}

// Shutdown waits for the requests that are being answered.
func (r *otlpReceiver) Shutdown(ctx context.Context) error {
	var err error
	if r.httpServer != nil {
		err = r.httpServer.Shutdown(ctx)
	}
	if r.grpcServer != nil {
		r.grpcServer.GracefulStop()
	}
	r.serving.Wait()
	return err
}
