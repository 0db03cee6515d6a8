package promapi_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/golang/snappy"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/promapi"
)

const (
	v1 = "application/x-protobuf"
	v2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
)

func post(h http.Handler, path, contentType string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Content-Encoding", "snappy")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func requestV1(t testing.TB) []byte {
	t.Helper()
	h := prompb.FromIntHistogram(base.UnixMilli(), tsdbutil.GenerateTestHistogram(1))
	request := prompb.WriteRequest{
		Timeseries: []prompb.TimeSeries{
			{
				Labels:    []prompb.Label{{Name: "__name__", Value: "requests_total"}, {Name: "job", Value: "api"}},
				Samples:   []prompb.Sample{{Timestamp: base.UnixMilli(), Value: 7}},
				Exemplars: []prompb.Exemplar{{Labels: []prompb.Label{{Name: "trace_id", Value: "abc"}}, Timestamp: base.UnixMilli(), Value: 1}},
			},
			{Labels: []prompb.Label{{Name: "__name__", Value: "latency"}}, Histograms: []prompb.Histogram{h}},
		},
		Metadata: []prompb.MetricMetadata{
			{Type: prompb.MetricMetadata_GAUGEHISTOGRAM, MetricFamilyName: "sizes", Help: "Sizes.", Unit: "bytes"},
			{Type: prompb.MetricMetadata_COUNTER, MetricFamilyName: "requests_total", Help: "Told by the sender."},
			{Help: "a family without a name"},
		},
	}
	data, err := request.Marshal()
	require.NoError(t, err)
	return data
}

func requestV2(t testing.TB, change ...func(*writev2.Request)) []byte {
	t.Helper()
	request := writev2.Request{
		Symbols: []string{"", "__name__", "rpc_seconds_count", "seconds", "Calls."},
		Timeseries: []writev2.TimeSeries{{
			LabelsRefs: []uint32{1, 2},
			Samples:    []writev2.Sample{{Timestamp: base.UnixMilli(), Value: 3}},
			Metadata:   writev2.Metadata{Type: writev2.Metadata_METRIC_TYPE_SUMMARY, HelpRef: 4, UnitRef: 3},
		}},
	}
	for _, c := range change {
		c(&request)
	}
	data, err := request.Marshal()
	require.NoError(t, err)
	return data
}

func TestRemoteWrite1(t *testing.T) {
	b := newBackend(t)
	api := b.ours(t)
	w := post(api, "/api/v1/write", v1, snappy.Encode(nil, requestV1(t)))
	require.Equal(t, http.StatusNoContent, w.Code, w.Body.String())
	got := ask(api, "GET", "/api/v1/query?query=requests_total&time="+base.Format("2006-01-02T15:04:05Z07:00"), "").Body.String()
	assert.Contains(t, got, `"7"`)
	assert.Contains(t, ask(api, "GET", "/api/v1/query?query=latency&time="+base.UTC().Format("2006-01-02T15:04:05Z"), "").Body.String(), `"buckets"`)

	assert.Equal(t, metadata.Metadata{Type: model.MetricTypeGaugeHistogram, Unit: "bytes", Help: "Sizes."}, b.families["sizes"])
	assert.Equal(t, "Told by the sender.", b.families["requests_total"].Help)
	assert.Len(t, b.families, 2)
}

func TestRemoteWrite2(t *testing.T) {
	b := newBackend(t)
	recorder := &recordingAppendable{Appendable: b.DB}
	api := b.ours(t, func(o *promapi.Options) { o.Appendable = recorder })
	w := post(api, "/api/v1/write", v2, snappy.Encode(nil, requestV2(t)))
	require.Equal(t, http.StatusNoContent, w.Code, w.Body.String())
	assert.Equal(t, "1", w.Header().Get("X-Prometheus-Remote-Write-Samples-Written"))
	assert.Contains(t, ask(api, "GET", "/api/v1/query?query=rpc_seconds_count&time="+base.UTC().Format("2006-01-02T15:04:05Z"), "").Body.String(), `"3"`)
	assert.Equal(t, map[string]metadata.Metadata{"rpc_seconds_count": {Type: model.MetricTypeSummary, Unit: "seconds", Help: "Calls."}}, recorder.metadata)
}

// recordingAppendable counts the batches that began and ended, and notes the metadata that was given to them.
type recordingAppendable struct {
	storage.Appendable
	began, ended int
	metadata     map[string]metadata.Metadata
	failure      error
}

func (r *recordingAppendable) Appender(ctx context.Context) storage.Appender {
	r.began++
	return &recordingAppender{Appender: r.Appendable.Appender(ctx), to: r}
}

type recordingAppender struct {
	storage.Appender
	to *recordingAppendable
}

func (a *recordingAppender) UpdateMetadata(ref storage.SeriesRef, l labels.Labels, m metadata.Metadata) (storage.SeriesRef, error) {
	if a.to.metadata == nil {
		a.to.metadata = map[string]metadata.Metadata{}
	}
	a.to.metadata[l.Get("__name__")] = m
	return ref, nil
}

func (a *recordingAppender) Append(ref storage.SeriesRef, l labels.Labels, t int64, v float64) (storage.SeriesRef, error) {
	if a.to.failure != nil {
		return 0, a.to.failure
	}
	return a.Appender.Append(ref, l, t, v)
}

func (a *recordingAppender) AppendHistogram(ref storage.SeriesRef, l labels.Labels, t int64, h *histogram.Histogram, fh *histogram.FloatHistogram) (storage.SeriesRef, error) {
	if a.to.failure != nil {
		return 0, a.to.failure
	}
	return a.Appender.AppendHistogram(ref, l, t, h, fh)
}

func (a *recordingAppender) Commit() error {
	a.to.ended++
	return a.Appender.Commit()
}

func (a *recordingAppender) Rollback() error {
	a.to.ended++
	return a.Appender.Rollback()
}

func TestAFailingStoreIsRetried(t *testing.T) {
	b := newBackend(t)
	recorder := &recordingAppendable{Appendable: b.DB, failure: errors.New("not now")}
	api := b.ours(t, func(o *promapi.Options) { o.Appendable = recorder })
	assert.Equal(t, http.StatusInternalServerError, post(api, "/api/v1/write", v1, snappy.Encode(nil, requestV1(t))).Code)
	assert.Equal(t, http.StatusInternalServerError, post(api, "/api/v1/write", v2, snappy.Encode(nil, requestV2(t))).Code)
	assert.Equal(t, recorder.began, recorder.ended)
}

// bomb is a few bytes of snappy that claim to be so many.
func bomb(size uint64) []byte { return binary.AppendUvarint(nil, size) }

func TestMalformedWritesAndReads(t *testing.T) {
	b := newBackend(t)
	recorder := &recordingAppendable{Appendable: b.DB}
	api := b.ours(t, func(o *promapi.Options) { o.Appendable = recorder })
	wrongUnit := requestV2(t, func(r *writev2.Request) { r.Timeseries[0].Metadata.UnitRef = 99 })
	noSymbols := requestV2(t, func(r *writev2.Request) { r.Symbols = nil })
	noMatcher, err := (&prompb.ReadRequest{Queries: []*prompb.Query{{
		Matchers: []*prompb.LabelMatcher{{Type: prompb.LabelMatcher_RE, Name: "code", Value: "("}},
	}}}).Marshal()
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		path, contentType string
		body              []byte
		want              int
	}{
		"JSON":                {"/api/v1/write", "application/json", []byte("{}"), http.StatusUnsupportedMediaType},
		"another message":     {"/api/v1/write", "application/x-protobuf;proto=some.Request", nil, http.StatusUnsupportedMediaType},
		"no snappy":           {"/api/v1/write", v1, []byte("plain"), http.StatusBadRequest},
		"no protobuf":         {"/api/v1/write", v1, snappy.Encode(nil, []byte("plain")), http.StatusBadRequest},
		"a bomb":              {"/api/v1/write", v1, bomb(1 << 31), http.StatusBadRequest},
		"a bomb, 2.0":         {"/api/v1/write", v2, bomb(1 << 31), http.StatusBadRequest},
		"a large body":        {"/api/v1/write", v1, make([]byte, 33<<20), http.StatusRequestEntityTooLarge},
		"a unit of no symbol": {"/api/v1/write", v2, snappy.Encode(nil, wrongUnit), http.StatusBadRequest},
		"no symbols":          {"/api/v1/write", v2, snappy.Encode(nil, noSymbols), http.StatusBadRequest},
		"a read, no snappy":   {"/api/v1/read", v1, []byte("plain"), http.StatusBadRequest},
		"a read, no matcher":  {"/api/v1/read", v1, snappy.Encode(nil, noMatcher), http.StatusBadRequest},
		"a read, a bomb":      {"/api/v1/read", v1, bomb(1 << 31), http.StatusRequestEntityTooLarge},
	} {
		w := post(api, tt.path, tt.contentType, tt.body)
		assert.Equal(t, tt.want, w.Code, "%s: %s", name, w.Body.String())
	}
	assert.Equal(t, recorder.began, recorder.ended, "every batch ends")
}

func TestRemoteRead(t *testing.T) {
	b := newBackend(t)
	b.fill(t)
	api := b.ours(t)
	request := prompb.ReadRequest{Queries: []*prompb.Query{{
		StartTimestampMs: base.UnixMilli(), EndTimestampMs: base.UnixMilli() + 20_000,
		Matchers: []*prompb.LabelMatcher{{Type: prompb.LabelMatcher_EQ, Name: "code", Value: "500"}},
	}}}
	data, err := request.Marshal()
	require.NoError(t, err)
	w := post(api, "/api/v1/read", v1, snappy.Encode(nil, data))
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	decoded, err := snappy.Decode(nil, w.Body.Bytes())
	require.NoError(t, err)
	var response prompb.ReadResponse
	require.NoError(t, response.Unmarshal(decoded))
	require.Len(t, response.Results[0].Timeseries, 1)
	assert.Len(t, response.Results[0].Timeseries[0].Samples, 3)
}

func FuzzWrite(f *testing.F) {
	f.Add(v1, requestV1(f))
	f.Add(v2, requestV2(f))
	f.Add(v2, requestV2(f, func(r *writev2.Request) { r.Symbols = nil }))
	b := newBackend(f)
	recorder := &recordingAppendable{Appendable: b.DB}
	api := b.ours(f, func(o *promapi.Options) { o.Appendable = recorder })
	f.Fuzz(func(t *testing.T, contentType string, message []byte) {
		if strings.ContainsAny(contentType, "\r\n") {
			return
		}
		for _, body := range [][]byte{message, snappy.Encode(nil, message)} {
			w := post(api, "/api/v1/write", contentType, body)
			_, err := io.Copy(io.Discard, w.Body)
			require.NoError(t, err)
			require.Less(t, w.Code, 500, "%q", body)
			require.Equal(t, recorder.began, recorder.ended)
		}
	})
}
