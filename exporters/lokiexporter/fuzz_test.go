package lokiexporter

import (
	"testing"

	"github.com/golang/snappy"
	"github.com/grafana/loki/pkg/push"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Whatever a sender sends, Loki can read what comes out: labels, names and all lines.
func FuzzLogs(f *testing.F) {
	ld := lines("a", "b\xff")
	ld.ResourceLogs().At(0).Resource().Attributes().PutStr("service.name", "\xff\"\\\n")
	record := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	record.SetTimestamp(1<<64 - 1)
	record.Attributes().PutStr("", "x")
	record.Attributes().PutEmptyMap("_").PutEmptySlice("").AppendEmpty().SetEmptyBytes().Append(1)
	seed, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	require.NoError(f, err)
	f.Add(seed)
	f.Fuzz(func(t *testing.T, data []byte) {
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
		if err != nil {
			return
		}
		cfg := createDefaultConfig().(*Config)
		cfg.Limits = LimitsConfig{LineSize: 10, LabelValueSize: 20, StructuredMetadataSize: 50, StructuredMetadataEntries: 5, PushSize: 200}
		streams, _ := convertWith(cfg, ld)
		records := 0
		for _, p := range pack(streams, cfg.Limits.PushSize) {
			body, err := (&pusher{}).encode(&p)
			require.NoError(t, err)
			plain, err := snappy.Decode(nil, body)
			require.NoError(t, err)
			var request push.PushRequest
			require.NoError(t, request.Unmarshal(plain))
			for _, s := range request.Streams {
				_, err := parser.ParseMetric(s.Labels)
				require.NoError(t, err, s.Labels)
				records += len(s.Entries)
				for _, e := range s.Entries {
					require.LessOrEqual(t, len(e.Line), 10)
					require.LessOrEqual(t, metadataSize(e.StructuredMetadata), 50)
					for _, pair := range e.StructuredMetadata {
						require.Regexp(t, labelName, pair.Name)
					}
				}
			}
		}
		require.Equal(t, ld.LogRecordCount(), records)
	})
}
