package alertruleprocessor

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/processor/batchprocessor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/quantivista/monitoring/internal/alert"
)

// wholeAlerts have every part that an alert can have.
func wholeAlerts(n int) []alert.Alert {
	at := time.Now().UTC()
	alerts := make([]alert.Alert, n)
	for i := range alerts {
		alerts[i] = alert.Alert{
			Labels:      map[string]string{"alertname": "Hot", "instance": string(rune('a' + i)), "utf.8": "ü"},
			Annotations: map[string]string{"summary": "hot <&>"}, Severity: alert.Critical, Status: alert.Firing, StartsAt: at.Add(-time.Hour), UpdatedAt: at,
			Value: new(0.1), GeneratorURL: "http://x/?a=b", RuleID: "42",
		}
		if i%2 == 1 {
			alerts[i].Status, alerts[i].EndsAt = alert.Resolved, at
		} else {
			alerts[i].ExpiresAt = at.Add(time.Hour)
		}
	}
	return alerts
}

// queueOn gives an OTLP exporter whose queue is in a directory.
func queueOn(t *testing.T, h *host, endpoint string) exporter.Metrics {
	t.Helper()
	factory := otlphttpexporter.NewFactory()
	cfg := factory.CreateDefaultConfig().(*otlphttpexporter.Config)
	cfg.ClientConfig.Endpoint = endpoint
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.StorageID = new(component.MustNewID("file_storage"))
	cfg.QueueConfig = configoptional.Some(queue)
	cfg.RetryConfig.InitialInterval = 10 * time.Millisecond
	set := exportertest.NewNopSettings(factory.Type())
	set.ID = component.NewID(factory.Type()) // the queue is found by it
	e, err := factory.CreateMetrics(t.Context(), set, cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), h))
	return e
}

// TestAlertsStayWholeOnTheirWay sends alerts through the batch processor, which merges and splits them, into a queue on
// disk; the exporter ends and another one takes them from there, over OTLP, to another collector.
func TestAlertsStayWholeOnTheirWay(t *testing.T) {
	h := &host{extensions: map[component.ID]component.Component{}}
	storage := filestorage.NewFactory()
	storageConfig := storage.CreateDefaultConfig().(*filestorage.Config)
	storageConfig.Directory = t.TempDir()
	ext, err := storage.Create(t.Context(), extensiontest.NewNopSettings(storage.Type()), storageConfig)
	require.NoError(t, err)
	require.NoError(t, ext.Start(t.Context(), h))
	defer func() { require.NoError(t, ext.Shutdown(context.Background())) }()
	h.extensions[component.MustNewID("file_storage")] = ext

	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	endpoint := free.Addr().String()
	require.NoError(t, free.Close())

	// Nobody listens yet.
	first := queueOn(t, h, "http://"+endpoint)
	batches := batchprocessor.NewFactory()
	batchConfig := batches.CreateDefaultConfig().(*batchprocessor.Config)
	batchConfig.SendBatchSize, batchConfig.SendBatchMaxSize = 3, 3
	batch, err := batches.CreateMetrics(t.Context(), processortest.NewNopSettings(batches.Type()), batchConfig, first)
	require.NoError(t, err)
	require.NoError(t, batch.Start(t.Context(), h))
	want := wholeAlerts(8)
	for _, part := range [][]alert.Alert{want[:1], want[1:6], want[6:]} {
		md, err := alert.Encode("x", part)
		require.NoError(t, err)
		require.NoError(t, batch.ConsumeMetrics(t.Context(), md))
	}
	require.NoError(t, batch.Shutdown(t.Context()))
	require.NoError(t, first.Shutdown(t.Context()))

	arrived := &next{}
	otlp := otlpreceiver.NewFactory()
	otlpConfig := otlp.CreateDefaultConfig().(*otlpreceiver.Config)
	otlpConfig.HTTP.GetOrInsertDefault().ServerConfig.NetAddr.Endpoint = endpoint
	receiver, err := otlp.CreateMetrics(t.Context(), receivertest.NewNopSettings(otlp.Type()), otlpConfig, arrived)
	require.NoError(t, err)
	require.NoError(t, receiver.Start(t.Context(), h))
	defer func() { require.NoError(t, receiver.Shutdown(context.Background())) }()
	second := queueOn(t, h, "http://"+endpoint)
	defer func() { require.NoError(t, second.Shutdown(context.Background())) }()

	var got []alert.Alert
	require.Eventually(t, func() bool {
		got = append(got, arrived.take()...)
		return len(got) >= len(want)
	}, 20*time.Second, 10*time.Millisecond)
	assert.ElementsMatch(t, want, got)
}
