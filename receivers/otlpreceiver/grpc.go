package otlpreceiver

import (
	"context"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/pprofile/pprofileotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
)

func (r *otlpReceiver) registerServices(server *grpc.Server) {
	if r.traces != nil {
		ptraceotlp.RegisterGRPCServer(server, &traceService{signal: r.traceSignal(r.overGRPC)})
	}
	if r.metrics != nil {
		server.RegisterService(&metricsServiceDesc, &metricsService{workspaces: &r.workspaces, signal: r.metricSignal(r.overGRPC)})
	}
	if r.logs != nil {
		plogotlp.RegisterGRPCServer(server, &logService{signal: r.logSignal(r.overGRPC)})
	}
	if r.profiles != nil {
		pprofileotlp.RegisterGRPCServer(server, &profileService{signal: r.profileSignal(r.overGRPC)})
	}
}

type traceService struct {
	ptraceotlp.UnimplementedGRPCServer
	signal *signal[ptrace.Traces]
}

func (s *traceService) Export(ctx context.Context, req ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	return ptraceotlp.NewExportResponse(), s.signal.export(ctx, req.Traces())
}

type logService struct {
	plogotlp.UnimplementedGRPCServer
	signal *signal[plog.Logs]
}

func (s *logService) Export(ctx context.Context, req plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	return plogotlp.NewExportResponse(), s.signal.export(ctx, req.Logs())
}

type profileService struct {
	pprofileotlp.UnimplementedGRPCServer
	signal *signal[pprofile.Profiles]
}

func (s *profileService) Export(ctx context.Context, req pprofileotlp.ExportRequest) (pprofileotlp.ExportResponse, error) {
	return pprofileotlp.NewExportResponse(), s.signal.export(ctx, req.Profiles())
}

// metricsService is opentelemetry.proto.collector.metrics.v1.MetricsService. pdata's own registration would have
// pdata decode the requests.
type metricsService struct {
	workspaces *workspaces
	signal     *signal[pmetric.Metrics]
}

const metricsServiceName = "opentelemetry.proto.collector.metrics.v1.MetricsService"

//nolint:gochecknoglobals // gRPC describes services by a value that nobody changes
var metricsServiceDesc = grpc.ServiceDesc{
	ServiceName: metricsServiceName,
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Export", Handler: exportMetrics}},
	Metadata:    "opentelemetry/proto/collector/metrics/v1/metrics_service.proto",
}

func exportMetrics(service any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) { //nolint:revive // the order of arguments is gRPC's
	s := service.(*metricsService)
	req := &metricsRequest{workspaces: s.workspaces}
	if err := decode(req); err != nil {
		return nil, err
	}
	export := func(ctx context.Context, req any) (any, error) {
		if err := s.signal.export(ctx, req.(*metricsRequest).metrics); err != nil {
			return nil, err
		}
		return newMetricsResponse()
	}
	if interceptor == nil {
		return export(ctx, req)
	}
	return interceptor(ctx, req, &grpc.UnaryServerInfo{Server: service, FullMethod: "/" + metricsServiceName + "/Export"}, export)
}

// message is what the codec that pdata registers with gRPC takes for a message of OTLP.
type message interface {
	SizeProto() int
	MarshalProto(buf []byte) int
	UnmarshalProto(buf []byte) error
}

var (
	_ message = (*metricsRequest)(nil)
	_ message = (*metricsResponse)(nil)
)

// metricsRequest is only ever decoded.
type metricsRequest struct {
	workspaces *workspaces
	metrics    pmetric.Metrics
}

func (r *metricsRequest) UnmarshalProto(buf []byte) (err error) {
	ws := r.workspaces.get()
	defer r.workspaces.put(ws)
	r.metrics, err = ws.metrics.Decode(buf)
	return err
}

func (*metricsRequest) SizeProto() int          { return 0 }
func (*metricsRequest) MarshalProto([]byte) int { return 0 }

// metricsResponse is only ever encoded.
type metricsResponse struct{ encoded []byte }

func newMetricsResponse() (*metricsResponse, error) {
	encoded, err := pmetricotlp.NewExportResponse().MarshalProto()
	return &metricsResponse{encoded}, err
}

func (r *metricsResponse) SizeProto() int              { return len(r.encoded) }
func (r *metricsResponse) MarshalProto(buf []byte) int { return copy(buf, r.encoded) }
func (*metricsResponse) UnmarshalProto([]byte) error   { return nil }
