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
	"go.opentelemetry.io/collector/receiver/receiverhelper"
)

// signal is what the receiver does with one kind of telemetry, whatever it came over.
type signal[T any] struct {
	items   func(T) int
	start   func(context.Context) context.Context
	consume func(context.Context, T) error
	end     func(ctx context.Context, format string, items int, err error)
}

// export hands data to the pipelines. Its errors have a gRPC status.
func (s *signal[T]) export(ctx context.Context, data T) error {
	items := s.items(data)
	if items == 0 {
		return nil
	}
	ctx = s.start(ctx)
	err := s.consume(ctx, data)
	s.end(ctx, "protobuf", items, err)
	return withStatus(err)
}

func (r *otlpReceiver) traceSignal(report *receiverhelper.ObsReport) *signal[ptrace.Traces] {
	return &signal[ptrace.Traces]{ptrace.Traces.SpanCount, report.StartTracesOp, r.traces.ConsumeTraces, report.EndTracesOp}
}

func (r *otlpReceiver) metricSignal(report *receiverhelper.ObsReport) *signal[pmetric.Metrics] {
	return &signal[pmetric.Metrics]{pmetric.Metrics.DataPointCount, report.StartMetricsOp, r.metrics.ConsumeMetrics, report.EndMetricsOp}
}

func (r *otlpReceiver) logSignal(report *receiverhelper.ObsReport) *signal[plog.Logs] {
	return &signal[plog.Logs]{plog.Logs.LogRecordCount, report.StartLogsOp, r.logs.ConsumeLogs, report.EndLogsOp}
}

// profileSignal counts samples as spans: the Collector has no counter of its own for them yet.
func (r *otlpReceiver) profileSignal(report *receiverhelper.ObsReport) *signal[pprofile.Profiles] {
	return &signal[pprofile.Profiles]{pprofile.Profiles.SampleCount, report.StartTracesOp, r.profiles.ConsumeProfiles, report.EndTracesOp}
}

// format is how a signal is encoded over HTTP. Decoded data shares no memory with the body.
type format[T any] struct {
	decodeProto func(w *workspace, body []byte) (T, error)
	decodeJSON  func(body []byte) (T, error)
	// Of the answer to data that was taken.
	takenProto func() ([]byte, error)
	takenJSON  func() ([]byte, error)
}

// formatOf has pdata encode and decode, by the requests and the answer of a signal.
func formatOf[R interface {
	UnmarshalProto(body []byte) error
	UnmarshalJSON(body []byte) error
}, T any](newRequest func() R, data func(R) T, taken interface {
	MarshalProto() ([]byte, error)
	MarshalJSON() ([]byte, error)
}) format[T] {
	return format[T]{
		decodeProto: func(_ *workspace, body []byte) (T, error) {
			req := newRequest()
			err := req.UnmarshalProto(body)
			return data(req), err
		},
		decodeJSON: func(body []byte) (T, error) {
			req := newRequest()
			err := req.UnmarshalJSON(body)
			return data(req), err
		},
		takenProto: taken.MarshalProto,
		takenJSON:  taken.MarshalJSON,
	}
}

func traceFormat() format[ptrace.Traces] {
	return formatOf(ptraceotlp.NewExportRequest, ptraceotlp.ExportRequest.Traces, ptraceotlp.NewExportResponse())
}

func metricFormat() format[pmetric.Metrics] {
	f := formatOf(pmetricotlp.NewExportRequest, pmetricotlp.ExportRequest.Metrics, pmetricotlp.NewExportResponse())
	f.decodeProto = func(w *workspace, body []byte) (pmetric.Metrics, error) { return w.metrics.Decode(body) }
	return f
}

func logFormat() format[plog.Logs] {
	return formatOf(plogotlp.NewExportRequest, plogotlp.ExportRequest.Logs, plogotlp.NewExportResponse())
}

func profileFormat() format[pprofile.Profiles] {
	return formatOf(pprofileotlp.NewExportRequest, pprofileotlp.ExportRequest.Profiles, pprofileotlp.NewExportResponse())
}
