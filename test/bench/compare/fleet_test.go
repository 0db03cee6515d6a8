package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/grafana/loki/pkg/push"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/quantivista/monitoring/internal/distribution"
	"github.com/quantivista/monitoring/test/bench/otlpload"
)

func gatewayConfigs(t *testing.T) (shipped, contrib gatewayConfig) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "configs", "gateway.yaml"))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &shipped))
	made, err := contribGateway(text)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(made, &contrib))
	return shipped, contrib
}

func TestTheContribGatewayIsTheShippedOneButForWhatIsOurs(t *testing.T) {
	shipped, contrib := gatewayConfigs(t)
	for name, p := range contrib.Service.Pipelines {
		want := shipped.Service.Pipelines[name]
		for i, exporter := range want.Exporters {
			if stock, ok := stockExporters[exporter]; ok {
				want.Exporters[i] = stock
			}
		}
		assert.Equal(t, want, p, name)
	}
	for _, name := range []string{"logs", "metrics/logs", "traces", "traces/sampled", "metrics/spans"} {
		assert.Contains(t, contrib.Service.Pipelines, name)
	}
	assert.Len(t, contrib.Connectors, len(shipped.Connectors))
	for name, connector := range contrib.Connectors {
		if len(shipped.Connectors[name]) > 0 { // "forward:" and "forward: {}" are the same
			assert.Equal(t, shipped.Connectors[name], connector, name)
		}
	}
	for name, processor := range contrib.Processors {
		assert.Equal(t, shipped.Processors[name], processor, name)
	}
	for _, key := range []string{"sending_queue", "retry_on_failure"} {
		assert.Equal(t, shipped.Exporters["loki"][key], contrib.Exporters["otlp_http/loki"][key], key)
		assert.Equal(t, shipped.Exporters["optional_otlp/jaeger"][key], contrib.Exporters["otlp_grpc/jaeger"][key], key)
	}
}

func TestTheContribGatewayHasNoneOfOurs(t *testing.T) {
	_, contrib := gatewayConfigs(t)
	manifest, err := distribution.Read(filepath.Join("..", "..", "..", "builder-config.yaml"))
	require.NoError(t, err)
	stock, err := distribution.Read(filepath.Join("..", "..", "peers", "collector", "builder-config.yaml"))
	require.NoError(t, err)
	namesakes := map[string]bool{} // of the stock collector, such as the otlp receiver
	for kind, modules := range stock.Components() {
		for _, m := range modules {
			namesakes[kind+"/"+m.Name()] = true
		}
	}
	ours := map[string]bool{}
	for kind, modules := range manifest.Components() {
		for _, m := range modules {
			if m.Path() != manifest.Dist.Module || namesakes[kind+"/"+m.Name()] {
				continue
			}
			var metadata struct {
				Type string `yaml:"type"`
			}
			text, err := os.ReadFile(filepath.Join("..", "..", "..", kind, m.Name(), "metadata.yaml"))
			require.NoError(t, err)
			require.NoError(t, yaml.Unmarshal(text, &metadata))
			ours[kind+"/"+metadata.Type] = true
		}
	}
	require.True(t, ours["exporters/loki"])
	require.False(t, ours["receivers/otlp"])
	for kind, components := range map[string]map[string]map[string]any{
		"extensions": contrib.Extensions, "receivers": contrib.Receivers, "processors": contrib.Processors, "exporters": contrib.Exporters,
	} {
		require.NotEmpty(t, components, kind)
		for name := range components {
			componentType, _, _ := strings.Cut(name, "/")
			assert.False(t, ours[kind+"/"+componentType], "%s: %s", kind, name)
		}
	}
}

func TestTheSinkCountsWhatComesByEachWay(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := newSink(ctx)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.close()) }()

	lanes, err := otlpload.Logs(30, 10, 1, time.Now())
	require.NoError(t, err)
	for _, request := range lanes[0] {
		var compressed bytes.Buffer
		w := gzip.NewWriter(&compressed)
		_, err := w.Write(request.Body)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		post(ctx, t, s.url+"/otlp/v1/logs", "gzip", compressed.Bytes())
	}
	pushed, err := (&push.PushRequest{Streams: []push.Stream{
		{Labels: `{a="1"}`, Entries: make([]push.Entry, 2)}, {Labels: `{a="2"}`, Entries: make([]push.Entry, 3)},
	}}).Marshal()
	require.NoError(t, err)
	post(ctx, t, s.url+"/loki/api/v1/push", "", snappy.Encode(nil, pushed))
	require.NoError(t, s.logs.await(ctx, 35))

	connection, err := grpc.NewClient(s.grpcAddress, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer connection.Close()
	td := ptrace.NewTraces()
	spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	spans.AppendEmpty()
	spans.AppendEmpty()
	_, err = ptraceotlp.NewGRPCClient(connection).Export(ctx, ptraceotlp.NewExportRequestFromTraces(td))
	require.NoError(t, err)
	require.NoError(t, s.spans.await(ctx, 2))
	require.ErrorContains(t, s.spans.await(ctx, 1), "2 arrived of 1: some came twice")

	cancel()
	require.ErrorContains(t, s.spans.await(ctx, 3), "2 arrived of 3")
}

func post(ctx context.Context, t *testing.T, url, encoding string, body []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Encoding", encoding)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
}

func TestWhatFleetRowsSay(t *testing.T) {
	m := fleetMeasurement{logs: spent{1, 3}, spans: spent{2, 2}, peakBytes: spent{50 << 20, 200 << 20}}
	var values []float64
	for _, r := range fleetRows() {
		values = append(values, r.value(m))
	}
	want := []float64{fleetLogs, fleetLogs / 3.0, fleetLogs / 4, fleetSpans / 2, fleetSpans / 2, fleetSpans / 4, 50, 200}
	assert.True(t, slices.Equal(want, values), "%v", values)
}
