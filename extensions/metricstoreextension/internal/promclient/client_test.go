package promclient

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	jsoniter "github.com/json-iterator/go"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/util/jsonutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func clientOf(t *testing.T, timeout time.Duration, h http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL + "/base/")
	require.NoError(t, err)
	c := server.Client()
	t.Cleanup(c.CloseIdleConnections)
	return New(base, c, timeout)
}

func TestRequests(t *testing.T) {
	var got *http.Request
	c := clientOf(t, 90*time.Second, func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, r.ParseForm())
		got = r
		_, err := io.WriteString(w, `{"status":"success","data":["a"],"warnings":["w"],"infos":["i"]}`)
		assert.NoError(t, err)
	})
	at := time.UnixMilli(1_700_000_000_123)

	values, notes, err := c.LabelValues(context.Background(), "http.method/ü", Selection{Selectors: []string{`{a="b"}`, "up"}, Start: at, End: at.Add(time.Second), Limit: 3})
	require.NoError(t, err)
	assert.Equal(t, []string{"a"}, values)
	assert.Equal(t, Notes{Warnings: []string{"w"}, Infos: []string{"i"}}, notes)
	assert.Equal(t, http.MethodGet, got.Method)
	assert.Equal(t, "/base/api/v1/label/U__http_2e_method_2f__fc_/values", got.URL.Path)
	assert.Equal(t, url.Values{"match[]": {`{a="b"}`, "up"}, "start": {"1700000000.123"}, "end": {"1700000001.123"}, "limit": {"3"}}, got.Form)

	_, _, err = c.QueryRange(context.Background(), "up", at, at.Add(time.Minute), 500*time.Millisecond, 5*time.Minute)
	require.ErrorContains(t, err, "decode", "a list is no result")
	assert.Equal(t, http.MethodPost, got.Method)
	assert.Equal(t, "/base/api/v1/query_range", got.URL.Path)
	assert.Equal(t, url.Values{"query": {"up"}, "start": {"1700000000.123"}, "end": {"1700000060.123"}, "step": {"0.5"}, "timeout": {"90"}, "lookback_delta": {"300"}}, got.PostForm)
}

func TestTheTimeoutHolds(t *testing.T) {
	c := clientOf(t, time.Millisecond, func(_ http.ResponseWriter, r *http.Request) {
		// The server learns that the client went away once the body is read.
		_, err := io.Copy(io.Discard, r.Body)
		assert.NoError(t, err)
		<-r.Context().Done()
	})
	_, _, err := c.Query(context.Background(), "up", time.Now(), time.Minute)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// asAPI writes a histogram as Prometheus' API does, and reads that.
func asAPI(t require.TestingT, h *histogram.FloatHistogram) (string, *model.SampleHistogram) {
	stream := jsoniter.ConfigDefault.BorrowStream(nil)
	defer jsoniter.ConfigDefault.ReturnStream(stream)
	jsonutil.MarshalHistogram(h, stream)
	text := string(stream.Buffer())
	var s model.SampleHistogram
	require.NoError(t, json.Unmarshal([]byte(text), &s))
	return text, &s
}

// A histogram that came through the API is written by it as before.
func TestHistogramsComeThrough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistogram(t)
		before, s := asAPI(t, h)
		got, err := floatHistogram(s)
		require.NoError(t, err, before)
		require.NoError(t, got.Validate(), before)
		after, _ := asAPI(t, got)
		assert.Equal(t, before, after)
	})
}

func drawHistogram(t *rapid.T) *histogram.FloatHistogram {
	spans := func(name string) ([]histogram.Span, []float64) {
		var (
			spans  []histogram.Span
			counts []float64
		)
		for i := range rapid.IntRange(0, 3).Draw(t, name+" spans") {
			offset := int32(rapid.IntRange(1, 20).Draw(t, name+" offset"))
			if i == 0 {
				offset -= 10
			}
			length := rapid.IntRange(1, 5).Draw(t, name+" length")
			spans = append(spans, histogram.Span{Offset: offset, Length: uint32(length)})
			for range length {
				counts = append(counts, float64(rapid.IntRange(1, 9).Draw(t, name+" count")))
			}
		}
		return spans, counts
	}
	h := &histogram.FloatHistogram{Sum: rapid.Float64().Draw(t, "sum")}
	if rapid.Bool().Draw(t, "custom") {
		bounds := rapid.SliceOfNDistinct(rapid.IntRange(-1000, 1000), 2, 10, rapid.ID[int]).Draw(t, "bounds")
		h.Schema = histogram.CustomBucketsSchema
		h.CustomValues = sorted(bounds)
		for range len(bounds) + 1 {
			h.PositiveBuckets = append(h.PositiveBuckets, float64(rapid.IntRange(0, 5).Draw(t, "count")))
		}
		// With three buckets at least their bounds do not look exponential.
		h.PositiveBuckets[0] = 1
		h.PositiveSpans = []histogram.Span{{Length: uint32(len(h.PositiveBuckets))}}
	} else {
		h.Schema = rapid.Int32Range(histogram.ExponentialSchemaMin, histogram.ExponentialSchemaMax).Draw(t, "schema")
		h.PositiveSpans, h.PositiveBuckets = spans("positive")
		h.NegativeSpans, h.NegativeBuckets = spans("negative")
		if rapid.Bool().Draw(t, "zero") {
			h.ZeroThreshold, h.ZeroCount = 1e-128, 3
		}
	}
	h.Count = h.ZeroCount
	for _, n := range append(append([]float64{}, h.PositiveBuckets...), h.NegativeBuckets...) {
		h.Count += n
	}
	return h
}

func sorted(bounds []int) []float64 {
	slices.Sort(bounds)
	floats := make([]float64, len(bounds))
	for i, b := range bounds {
		floats[i] = float64(b)
	}
	return floats
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1.5,"NaN"]}]}`,
		`{"resultType":"vector","result":[{"metric":{},"histogram":[1,{"count":"3","sum":"2","buckets":[[3,"-Inf","0","1"],[0,"1","2","2"]]}]}]}`,
		`{"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"]],"histograms":[[1,{"count":"1","sum":"2","buckets":[[1,"-2","-1","1"]]}]]}]}`,
		`{"resultType":"scalar","result":[1,"2"]}`,
		`{"resultType":"string","result":[1,"text"]}`,
		`{"resultType":"matrix","result":[{"metric":{},"histograms":[[1,null]]}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(_ *testing.T, text []byte) {
		var data queryData
		if json.Unmarshal(text, &data) != nil {
			return
		}
		value, err := data.value()
		if err == nil {
			_ = value.String()
		}
	})
}

func TestBrokenHistograms(t *testing.T) {
	inf := model.FloatString(math.Inf(1))
	for name, buckets := range map[string][]model.HistogramBucket{
		"open on both sides":       {{Boundaries: 2, Lower: 1, Upper: 2, Count: 1}},
		"not sorted":               {{Boundaries: 0, Lower: 4, Upper: 8, Count: 1}, {Boundaries: 0, Lower: 1, Upper: 2, Count: 1}},
		"custom, not sorted":       {{Boundaries: 0, Lower: 5, Upper: 9, Count: 1}, {Boundaries: 0, Lower: 1, Upper: 2, Count: 1}},
		"negative, of two growths": {{Boundaries: 1, Lower: -9, Upper: -1, Count: 1}, {Boundaries: 0, Lower: 1, Upper: 2, Count: 1}},
		"not a number":             {{Boundaries: 0, Lower: model.FloatString(math.NaN()), Upper: inf, Count: 1}},
	} {
		list := make(model.HistogramBuckets, len(buckets))
		for i := range buckets {
			list[i] = &buckets[i]
		}
		_, err := floatHistogram(&model.SampleHistogram{Buckets: list})
		require.Error(t, err, name)
	}
	_, err := floatHistogram(nil)
	require.Error(t, err)
}
