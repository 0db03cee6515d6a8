package lokiexporter

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/quantivista/monitoring/exporters/lokiexporter/internal/metadatatest"
)

func TestALabelIsClosedForTheRestOfTheWindow(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Labels = []LabelConfig{{Name: "a"}, {Name: "b"}}
	cfg.Cardinality = CardinalityConfig{MaxValues: 2, Window: time.Hour}
	core, logged := observer.New(zap.WarnLevel)
	g := newGuard(cfg, zap.New(core))

	assert.True(t, g.admit(0, "1", start))
	assert.True(t, g.admit(0, "2", start))
	assert.True(t, g.admit(0, "1", start))
	require.Empty(t, logged.All())
	assert.False(t, g.admit(0, "3", start))
	assert.False(t, g.admit(0, "1", start), "as a whole: a query must not find some of the values")
	assert.True(t, g.admit(1, "1", start), "other labels stay")
	require.Len(t, logged.All(), 1)
	assert.Equal(t, "a", logged.All()[0].ContextMap()["label"])

	assert.True(t, g.admit(0, "3", start.Add(time.Hour)))
	assert.False(t, g.admit(1, strings.Repeat("x", 2049), start))
	assert.True(t, g.admit(1, strings.Repeat("x", 2048), start))
}

func TestDemotedRecordsAndValuesAreCounted(t *testing.T) {
	loki := newFakeLoki(t)
	cfg := unqueued(loki.URL)
	cfg.Labels = []LabelConfig{{Name: "id", From: []Source{"record.id"}}}
	cfg.Cardinality.MaxValues = 1
	cfg.Limits.LineSize = 3
	h := startExporter(t, cfg)
	ld, records := newLogs("shop")
	for _, id := range []string{"1", "2", "3"} {
		say(records, start, "line "+id).Attributes().PutStr("id", id)
	}
	require.NoError(t, h.ConsumeLogs(t.Context(), ld))
	of := func(key, value string) attribute.Set { return attribute.NewSet(attribute.String(key, value)) }
	metadatatest.AssertEqualExporterLokiDemotedLogRecords(t, h.telemetry,
		[]metricdata.DataPoint[int64]{{Value: 2, Attributes: of("label", "id")}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	metadatatest.AssertEqualExporterLokiLabelValues(t, h.telemetry,
		[]metricdata.DataPoint[int64]{{Value: 1, Attributes: of("label", "id")}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	metadatatest.AssertEqualExporterLokiTruncatedLogRecords(t, h.telemetry,
		[]metricdata.DataPoint[int64]{{Value: 3, Attributes: of("part", "line")}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	pushed, err := h.telemetry.GetMetric("otelcol_exporter_loki_pushed_bytes")
	require.NoError(t, err)
	assert.Positive(t, pushed.Data.(metricdata.Sum[int64]).DataPoints[0].Value)
	require.NoError(t, h.ConsumeLogs(context.Background(), lines("x")))
}
