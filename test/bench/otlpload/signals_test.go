package otlpload

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

var noon = time.Unix(1_700_000_000, 0)

func TestLogsAreAsManyAsWantedAndAllDifferent(t *testing.T) {
	lanes, err := Logs(1050, 100, 2, noon)
	require.NoError(t, err)
	require.Len(t, lanes, 2)
	records, bodies, services := 0, map[string]bool{}, map[string]bool{}
	for _, lane := range lanes {
		for _, request := range lane {
			decoded := plogotlp.NewExportRequest()
			require.NoError(t, decoded.UnmarshalProto(request.Body))
			assert.Equal(t, request.Items, decoded.Logs().LogRecordCount())
			records += request.Items
			rl := decoded.Logs().ResourceLogs().At(0)
			name, _ := rl.Resource().Attributes().Get("service.name")
			services[name.Str()] = true
			for _, record := range rl.ScopeLogs().At(0).LogRecords().All() {
				bodies[record.Body().Str()] = true
			}
		}
	}
	assert.Equal(t, 1050, records)
	assert.Len(t, bodies, 1050)
	assert.Len(t, services, 10)
}

func TestSpansMakeWholeTracesThroughThreeServices(t *testing.T) {
	const traces = 600
	lanes, err := Spans(traces, 2, noon)
	require.NoError(t, err)
	again, err := Spans(traces, 2, noon)
	require.NoError(t, err)
	require.Equal(t, lanes, again)

	type seen struct {
		services map[string]bool
		spans    map[pcommon.SpanID]ptrace.Span
	}
	all, failed := map[pcommon.TraceID]seen{}, 0
	for _, lane := range lanes {
		for _, request := range lane {
			decoded := ptraceotlp.NewExportRequest()
			require.NoError(t, decoded.UnmarshalProto(request.Body))
			assert.Equal(t, request.Items, decoded.Traces().SpanCount())
			rs := decoded.Traces().ResourceSpans().At(0)
			service, _ := rs.Resource().Attributes().Get("service.name")
			for _, span := range rs.ScopeSpans().At(0).Spans().All() {
				trace, ok := all[span.TraceID()]
				if !ok {
					trace = seen{map[string]bool{}, map[pcommon.SpanID]ptrace.Span{}}
					all[span.TraceID()] = trace
				}
				trace.services[service.Str()], trace.spans[span.SpanID()] = true, span
				if span.Status().Code() == ptrace.StatusCodeError {
					failed++
				}
			}
		}
	}
	require.Len(t, all, traces)
	assert.Equal(t, traces/failEvery, failed)
	for _, trace := range all {
		require.Len(t, trace.services, 3)
		require.Len(t, trace.spans, SpansOfTrace)
		roots := 0
		for _, span := range trace.spans {
			if span.ParentSpanID().IsEmpty() {
				roots++
				continue
			}
			parent, ok := trace.spans[span.ParentSpanID()]
			require.True(t, ok)
			assert.NotEqual(t, parent.Kind(), span.Kind(), "client and server take turns")
			assert.LessOrEqual(t, parent.StartTimestamp(), span.StartTimestamp())
		}
		require.Equal(t, 1, roots)
	}
}
