package monitoringapiextension

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"testing"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// values of all samples of a metric.
func values(t *testing.T, s storage.Queryable, metric string) []float64 {
	t.Helper()
	q, err := s.Querier(0, 1<<60)
	require.NoError(t, err)
	defer q.Close()
	var found []float64
	set := q.Select(t.Context(), true, nil, labels.MustNewMatcher(labels.MatchEqual, "__name__", metric))
	for set.Next() {
		it := set.At().Iterator(nil)
		for it.Next() != 0 {
			_, v := it.At()
			found = append(found, v)
		}
		require.NoError(t, it.Err())
	}
	require.NoError(t, set.Err())
	return found
}

func TestRemoteWrite(t *testing.T) {
	v1, err := (&prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{
		Labels: []prompb.Label{{Name: "__name__", Value: "one"}}, Samples: []prompb.Sample{{Timestamp: 1000, Value: 1.5}},
	}}}).Marshal()
	require.NoError(t, err)
	v2, err := (&writev2.Request{Symbols: []string{"", "__name__", "two"}, Timeseries: []writev2.TimeSeries{{
		LabelsRefs: []uint32{1, 2}, Samples: []writev2.Sample{{Timestamp: 1000, Value: 2.5}},
	}}}).Marshal()
	require.NoError(t, err)
	tests := map[string]struct {
		body    []byte
		headers []string
		metric  string
		want    float64
	}{
		"1.0": {v1, []string{"Content-Type", "application/x-protobuf", "X-Prometheus-Remote-Write-Version", "0.1.0"}, "one", 1.5},
		"2.0": {v2, []string{"Content-Type", "application/x-protobuf;proto=io.prometheus.write.v2.Request", "X-Prometheus-Remote-Write-Version", "2.0.0"}, "two", 2.5},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			store := newTestStore(t, "")
			_, base := start(t, store)
			got := do(t, http.MethodPost, base+"/prometheus/api/v1/write", string(snappy.Encode(nil, tt.body)),
				append(tt.headers, "Content-Encoding", "snappy")...)
			require.Equal(t, http.StatusNoContent, got.status, got.body)
			assert.Equal(t, []float64{tt.want}, values(t, store, tt.metric))
		})
	}
}

func TestRemoteRead(t *testing.T) {
	_, base := start(t, newTestStore(t, series))
	request, err := (&prompb.ReadRequest{Queries: []*prompb.Query{{
		EndTimestampMs: 60_000, Matchers: []*prompb.LabelMatcher{{Name: "__name__", Value: "requests_total"}},
	}}}).Marshal()
	require.NoError(t, err)
	got := do(t, http.MethodPost, base+"/prometheus/api/v1/read", string(snappy.Encode(nil, request)),
		"Content-Encoding", "snappy", "Content-Type", "application/x-protobuf")
	require.Equal(t, http.StatusOK, got.status, got.body)
	body, err := snappy.Decode(nil, []byte(got.body))
	require.NoError(t, err)
	var response prompb.ReadResponse
	require.NoError(t, response.Unmarshal(body))
	require.Len(t, response.Results[0].Timeseries, 1)
	assert.Len(t, response.Results[0].Timeseries[0].Samples, 2)
}

func TestSnappyBombsAreRefused(t *testing.T) {
	_, base := start(t, newTestStore(t, ""))
	bomb := binary.AppendUvarint(nil, 4<<30-1)
	for _, path := range []string{"write", "read"} {
		got := do(t, http.MethodPost, base+"/prometheus/api/v1/"+path, string(bomb), "Content-Encoding", "snappy", "Content-Type", "application/x-protobuf")
		assert.Equal(t, http.StatusRequestEntityTooLarge, got.status)
	}
	for name, body := range map[string][]byte{"empty": nil, "short": {0x80}, "garbage": bytes.Repeat([]byte{0xff}, 64)} {
		got := do(t, http.MethodPost, base+"/prometheus/api/v1/write", string(body), "Content-Encoding", "snappy", "Content-Type", "application/x-protobuf")
		assert.Less(t, got.status, http.StatusInternalServerError, "%s: %s", name, got.body)
	}
}
