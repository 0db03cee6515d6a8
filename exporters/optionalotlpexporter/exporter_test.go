package optionalotlpexporter

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/grpc"

	"github.com/quantivista/monitoring/exporters/optionalotlpexporter/internal/metadata"
	"github.com/quantivista/monitoring/exporters/optionalotlpexporter/internal/metadatatest"
)

func TestWithoutAnEndpointDataIsCountedAndDroppedWithOneLogLine(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	set := exportertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	core, logged := observer.New(zap.InfoLevel)
	set.Logger = zap.New(core)
	cfg := createDefaultConfig().(*Config)
	cfg.Hint = "set JAEGER_ENDPOINT"

	traces, err := NewFactory().CreateTraces(t.Context(), set, cfg)
	require.NoError(t, err)
	require.NoError(t, traces.Start(t.Context(), componenttest.NewNopHost()))
	require.Empty(t, logged.All(), "silent until data comes")
	for range 3 {
		require.NoError(t, traces.ConsumeTraces(t.Context(), twoSpans()))
	}
	require.Len(t, logged.All(), 1)
	assert.Equal(t, "Dropping traces: no endpoint is set; set JAEGER_ENDPOINT", logged.All()[0].Message)
	metadatatest.AssertEqualExporterDiscardedSpans(t, telemetry,
		[]metricdata.DataPoint[int64]{{Value: 6}}, metricdatatest.IgnoreTimestamp())
	require.NoError(t, traces.Shutdown(t.Context()))

	logs, err := NewFactory().CreateLogs(t.Context(), set, createDefaultConfig())
	require.NoError(t, err)
	require.NoError(t, logs.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, logs.ConsumeLogs(t.Context(), oneRecord()))
	metadatatest.AssertEqualExporterDiscardedLogRecords(t, telemetry,
		[]metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp())
	require.Len(t, logged.All(), 2)
	assert.Contains(t, logged.All()[1].Message, `set "endpoint" of this exporter`)
	require.NoError(t, logs.Shutdown(t.Context()))
}

func TestLogsGoToTheURLUnderItsPath(t *testing.T) {
	paths := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths <- r.URL.Path
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	cfg := unqueued(server.URL)
	cfg.Path = "/otlp"

	logs, err := NewFactory().CreateLogs(t.Context(), exportertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	require.NoError(t, logs.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, logs.ConsumeLogs(t.Context(), oneRecord()))
	require.NoError(t, logs.Shutdown(t.Context()))
	assert.Equal(t, "/otlp/v1/logs", <-paths)
}

func TestTracesGoToHostAndPortOverGRPC(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "localhost:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	received := &traceServer{spans: make(chan int, 1)}
	ptraceotlp.RegisterGRPCServer(server, received)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		require.NoError(t, <-served)
	})
	cfg := unqueued(strings.Replace(listener.Addr().String(), "127.0.0.1", "localhost", 1))
	cfg.TLS.Insecure = true

	traces, err := NewFactory().CreateTraces(t.Context(), exportertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	require.NoError(t, traces.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, traces.ConsumeTraces(t.Context(), twoSpans()))
	require.NoError(t, traces.Shutdown(t.Context()))
	assert.Equal(t, 2, <-received.spans)
}

// The sender keeps the name that the user gave, so that its own telemetry tells the exporter apart.
func TestSenderIsNamedAfterTheExporter(t *testing.T) {
	factory, _ := unqueued("http://jaeger:4318").sender()
	set := exportertest.NewNopSettings(metadata.Type)
	require.NoError(t, set.ID.UnmarshalText([]byte("optional_otlp/jaeger")))
	assert.Equal(t, "otlp_http/optional_otlp/jaeger", settingsFor(factory, set).ID.String())
}

// unqueued sends in the caller's goroutine, so that an error is the test's.
func unqueued(endpoint string) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoint = endpoint
	cfg.Queue = configoptional.None[exporterhelper.QueueBatchConfig]()
	cfg.Retry.Enabled = false
	return cfg
}

func twoSpans() ptrace.Traces {
	td := ptrace.NewTraces()
	spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	spans.AppendEmpty().SetName("first")
	spans.AppendEmpty().SetName("second")
	return td
}

func oneRecord() plog.Logs {
	ld := plog.NewLogs()
	ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("hello")
	return ld
}
