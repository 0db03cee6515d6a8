package e2e

import (
	"net/url"
	"testing"
	"time"

	"github.com/golang/snappy"
	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
	configutil "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"github.com/prometheus/prometheus/storage/remote"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRemoteWriteAndRead writes and reads with Prometheus' own clients.
func TestRemoteWriteAndRead(t *testing.T) {
	t.Parallel()
	c := startCollector(t, allInOne)
	now := time.Now().UnixMilli()
	for _, version := range []struct {
		name    string
		message remoteapi.WriteMessageType
		body    func(lbls labels.Labels, at int64, value float64) ([]byte, error)
	}{
		{"1.0", remoteapi.WriteV1MessageType, writeRequest1},
		{"2.0", remoteapi.WriteV2MessageType, writeRequest2},
	} {
		t.Run(version.name, func(t *testing.T) {
			writer, err := remote.NewWriteClient("e2e", c.remoteConfig(t, "/prometheus/api/v1/write", version.message))
			require.NoError(t, err)
			lbls := labels.FromStrings("__name__", "remote_written", "version", version.name)
			body, err := version.body(lbls, now, 42)
			require.NoError(t, err)
			stats, err := writer.Store(t.Context(), snappy.Encode(nil, body), 0)
			require.NoError(t, err)
			if version.message == remoteapi.WriteV2MessageType {
				assert.Equal(t, 1, stats.Samples, "the statistics of version 2.0")
			}
			assert.InDelta(t, 42, c.number(`remote_written{version="`+version.name+`"}`), 0)

			// Prometheus drops what is answered with a 4xx, and sends a 5xx again for ever.
			body, err = version.body(lbls, now-3*time.Hour.Milliseconds(), 1)
			require.NoError(t, err)
			_, err = writer.Store(t.Context(), snappy.Encode(nil, body), 0)
			require.ErrorContains(t, err, "400")
		})
	}

	for _, response := range []prompb.ReadRequest_ResponseType{prompb.ReadRequest_SAMPLES, prompb.ReadRequest_STREAMED_XOR_CHUNKS} {
		t.Run("read "+response.String(), func(t *testing.T) {
			cfg := c.remoteConfig(t, "/prometheus/api/v1/read", "")
			cfg.AcceptedResponseTypes = []prompb.ReadRequest_ResponseType{response}
			reader, err := remote.NewReadClient("e2e", cfg)
			require.NoError(t, err)
			matcher := labels.MustNewMatcher(labels.MatchEqual, "__name__", "remote_written")
			query, err := remote.ToQuery(now-60_000, now+60_000, []*labels.Matcher{matcher}, nil)
			require.NoError(t, err)
			set, err := reader.Read(t.Context(), query, true)
			require.NoError(t, err)
			var versions []string
			for set.Next() {
				versions = append(versions, set.At().Labels().Get("version"))
				samples := set.At().Iterator(nil)
				require.Equal(t, chunkenc.ValFloat, samples.Next())
				at, value := samples.At()
				assert.Equal(t, now, at)
				assert.InDelta(t, 42, value, 0)
				assert.Equal(t, chunkenc.ValNone, samples.Next())
			}
			require.NoError(t, set.Err())
			assert.Equal(t, []string{"1.0", "2.0"}, versions)
		})
	}
}

func (c *collector) remoteConfig(t *testing.T, path string, message remoteapi.WriteMessageType) *remote.ClientConfig {
	t.Helper()
	u, err := url.Parse(at(c.api, path))
	require.NoError(t, err)
	return &remote.ClientConfig{
		URL: &configutil.URL{URL: u}, Timeout: model.Duration(patience), WriteProtoMsg: message, ChunkedReadLimit: 1 << 20,
	}
}

// writeRequest1 is a remote write 1.0 of one sample.
func writeRequest1(lbls labels.Labels, at int64, value float64) ([]byte, error) {
	request := prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{
		Labels:  prompb.FromLabels(lbls, nil),
		Samples: []prompb.Sample{{Timestamp: at, Value: value}},
	}}}
	return request.Marshal()
}

// writeRequest2 is a remote write 2.0 of one sample.
func writeRequest2(lbls labels.Labels, at int64, value float64) ([]byte, error) {
	symbols := writev2.NewSymbolTable()
	request := writev2.Request{Timeseries: []writev2.TimeSeries{{
		LabelsRefs: symbols.SymbolizeLabels(lbls, nil),
		Samples:    []writev2.Sample{{Timestamp: at, Value: value}},
	}}}
	request.Symbols = symbols.Symbols()
	return request.Marshal()
}
