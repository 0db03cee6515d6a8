package optionalotlpexporter

import (
	"context"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// traceServer is an OTLP/gRPC server that tells how many spans each request carried.
type traceServer struct {
	ptraceotlp.UnimplementedGRPCServer
	spans chan int
}

func (s *traceServer) Export(_ context.Context, req ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	s.spans <- req.Traces().SpanCount()
	return ptraceotlp.NewExportResponse(), nil
}
