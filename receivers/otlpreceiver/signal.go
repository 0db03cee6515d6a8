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

func traceFormat() format[ptrace.Traces] {
	taken := ptraceotlp.NewExportResponse()
	return format[ptrace.Traces]{
		decodeProto: func(_ *workspace, body []byte) (ptrace.Traces, error) {
			req := ptraceotlp.NewExportRequest()
			err := req.UnmarshalProto(body)
			return req.Traces(), err
		},
		decodeJSON: func(body []byte) (ptrace.Traces, error) {
			req := ptraceotlp.NewExportRequest()
			err := req.UnmarshalJSON(body)
			return req.Traces(), err
		},
		takenProto: taken.MarshalProto,
		takenJSON:  taken.MarshalJSON,
	}
}

func metricFormat() format[pmetric.Metrics] {
	taken := pmetricotlp.NewExportResponse()
	return format[pmetric.Metrics]{
		decodeProto: func(w *workspace, body []byte) (pmetric.Metrics, error) { return w.metrics.Decode(body) },
		decodeJSON: func(body []byte) (pmetric.Metrics, error) {
			req := pmetricotlp.NewExportRequest()
			err := req.UnmarshalJSON(body)
			return req.Metrics(), err
		},
		takenProto: taken.MarshalProto,
		takenJSON:  taken.MarshalJSON,
	}
}

func logFormat() format[plog.Logs] {
	taken := plogotlp.NewExportResponse()
	return format[plog.Logs]{
		decodeProto: func(_ *workspace, body []byte) (plog.Logs, error) {
			req := plogotlp.NewExportRequest()
			err := req.UnmarshalProto(body)
			return req.Logs(), err
		},
		decodeJSON: func(body []byte) (plog.Logs, error) {
			req := plogotlp.NewExportRequest()
			err := req.UnmarshalJSON(body)
			return req.Logs(), err
		},
		takenProto: taken.MarshalProto,
		takenJSON:  taken.MarshalJSON,
	}
}

func profileFormat() format[pprofile.Profiles] {
	taken := pprofileotlp.NewExportResponse()
	return format[pprofile.Profiles]{
		decodeProto: func(_ *workspace, body []byte) (pprofile.Profiles, error) {
			req := pprofileotlp.NewExportRequest()
			err := req.UnmarshalProto(body)
			return req.Profiles(), err
		},
		decodeJSON: func(body []byte) (pprofile.Profiles, error) {
			req := pprofileotlp.NewExportRequest()
			err := req.UnmarshalJSON(body)
			return req.Profiles(), err
		},
		takenProto: taken.MarshalProto,
		takenJSON:  taken.MarshalJSON,
	}
}
