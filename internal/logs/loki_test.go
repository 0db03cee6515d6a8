package logs

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// answering is a Loki that has one answer, and remembers what it was asked for.
func answering(t *testing.T, status int, body string) (*Loki, *url.URL) {
	t.Helper()
	asked := &url.URL{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = *r.URL
		assert.Equal(t, "categorize-labels", r.Header.Get("X-Loki-Response-Encoding-Flags"))
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	loki := NewLoki(server.URL+"/", server.Client())
	t.Cleanup(loki.Close)
	return loki, asked
}

var (
	from = time.Date(2026, 11, 24, 17, 0, 0, 0, time.UTC)
	to   = from.Add(time.Hour)
)

func TestLinesOfAllStreamsAreInOrder(t *testing.T) {
	loki, asked := answering(t, http.StatusOK, `{"status":"success","data":{"resultType":"streams","encodingFlags":["categorize-labels"],"result":[
		{"stream":{"service_name":"shop","severity":"error"},"values":[
			["1795540000000000003","third",{"structuredMetadata":{"trace_id":"4bf9","span_id":"00f0"},"parsed":{"code":"5"}}],
			["1795540000000000001","first",{}]]},
		{"stream":{"service_name":"cart"},"values":[["1795540000000000002","second",{"structuredMetadata":{"detected_level":"warn"}}]]}]}}`)
	got, err := loki.Query(t.Context(), Query{LogQL: `{a="b"}`, Start: from, End: to, Limit: 7, Step: 1500 * time.Millisecond})
	require.NoError(t, err)
	assert.Equal(t, "/loki/api/v1/query_range", asked.Path)
	assert.Equal(t, url.Values{
		"query": {`{a="b"}`}, "limit": {"7"}, "direction": {"backward"}, "step": {"1.5"},
		"start": {"1795539600000000000"}, "end": {"1795543200000000000"},
	}, asked.Query())
	require.Len(t, got.Lines, 3)
	assert.False(t, got.Metric)
	third := got.Lines[0]
	assert.Equal(t, Line{
		Time: time.Unix(0, 1795540000000000003).UTC(), Text: "third", Labels: map[string]string{"service_name": "shop", "severity": "error"},
		Metadata: map[string]string{"trace_id": "4bf9", "span_id": "00f0"}, Parsed: map[string]string{"code": "5"},
	}, third)
	assert.Equal(t, []string{"4bf9", "00f0", "error"}, []string{third.TraceID(), third.SpanID(), third.Severity()})
	assert.Equal(t, "second", got.Lines[1].Text)
	assert.Equal(t, "warn", got.Lines[1].Severity())
	assert.Equal(t, "first", got.Lines[2].Text)

	got, err = loki.Query(t.Context(), Query{Start: time.Time{}, End: to.AddDate(1000, 0, 0), Forward: true})
	require.NoError(t, err)
	assert.Equal(t, "first", got.Lines[0].Text)
	assert.Equal(t, "forward", asked.Query().Get("direction"))
	assert.Equal(t, "0", asked.Query().Get("start"))
	assert.Equal(t, "9223372036854775807", asked.Query().Get("end"))
}

func TestSeriesOfAMetricQuery(t *testing.T) {
	for kind, values := range map[string]string{"matrix": `"values":[[1795540000.5,"0.25"]]`, "vector": `"value":[1795540000.5,"0.25"]`} {
		loki, _ := answering(t, http.StatusOK, `{"data":{"resultType":"`+kind+`","result":[{"metric":{"a":"b"},`+values+`}]}}`)
		got, err := loki.Query(t.Context(), Query{Start: from, End: to})
		require.NoError(t, err)
		assert.Equal(t, Result{Metric: true, Series: []Series{
			{Labels: map[string]string{"a": "b"}, Points: []Point{{Time: time.UnixMilli(1795540000500).UTC(), Value: 0.25}}},
		}}, got, kind)
	}
}

func TestLabelsAreSorted(t *testing.T) {
	loki, asked := answering(t, http.StatusOK, `{"data":["b","a"]}`)
	names, err := loki.Labels(t.Context(), Selection{Start: from, End: to})
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, names)
	assert.False(t, asked.Query().Has("query"))

	_, err = loki.LabelValues(t.Context(), "a/../b?", Selection{Selector: `{c="d"}`, Start: from, End: to})
	require.NoError(t, err)
	assert.Equal(t, "/loki/api/v1/label/a%2F..%2Fb%3F/values", asked.EscapedPath())
	assert.Equal(t, `{c="d"}`, asked.Query().Get("query"))
}

func TestPatternsAndVolumesAreTheLargestFirst(t *testing.T) {
	loki, _ := answering(t, http.StatusOK, `{"data":[{"pattern":"a <_>","samples":[[1795540000,1]]},
		{"pattern":"b <_>","level":"error","samples":[[1795540000,2],[1795540010,3]]}]}`)
	patterns, err := loki.Patterns(t.Context(), Selection{Selector: "{}", Start: from, End: to})
	require.NoError(t, err)
	require.Len(t, patterns, 2)
	assert.Equal(t, int64(5), patterns[0].Total)
	assert.Equal(t, "b <_>", patterns[0].Text)
	assert.Equal(t, "error", patterns[0].Level)

	loki, asked := answering(t, http.StatusOK, `{"data":{"resultType":"vector","result":[
		{"metric":{"s":"a"},"value":[1795540000,"10"]},{"metric":{"s":"b"},"value":[1795540000,"20"]}]}}`)
	volumes, err := loki.Volume(t.Context(), VolumeQuery{Selection: Selection{Selector: "{}", Start: from, End: to}, By: []string{"s", "t"}, Limit: 3})
	require.NoError(t, err)
	assert.Equal(t, []Volume{{map[string]string{"s": "b"}, 20}, {map[string]string{"s": "a"}, 10}}, volumes)
	assert.Equal(t, "s,t", asked.Query().Get("targetLabels"))
}

func TestLokisErrors(t *testing.T) {
	for _, tc := range []struct {
		status int
		body   string
		want   error
		text   string
	}{
		{http.StatusBadRequest, "parse error at line 1, col 2\n", &RefusedError{Status: 400, Message: "parse error at line 1, col 2"}, ""},
		{http.StatusUnprocessableEntity, `{"status":"error","error":"too many series"}`, &RefusedError{Status: 422, Message: "too many series"}, ""},
		{http.StatusTooManyRequests, `{"message":"slowly"}`, &RefusedError{Status: 429, Message: "slowly"}, ""},
		{http.StatusUnauthorized, "no org id", ErrUnavailable, "no org id"},
		{http.StatusInternalServerError, "broken", ErrUnavailable, "broken"},
		{http.StatusGatewayTimeout, "slow", ErrTimeout, "slow"},
		{http.StatusOK, "<html>", ErrUnavailable, "cannot be read"},
		{http.StatusOK, `{"data":{"resultType":"streams","result":[{"values":[["x","y"]]}]}}`, ErrUnavailable, "cannot be read"},
		{http.StatusOK, `{"data":{"resultType":"streams","result":[{"values":[["1"]]}]}}`, ErrUnavailable, "1 parts"},
		{http.StatusOK, `{"data":{"resultType":"matrix","result":[{"values":[[1,"x"]]}]}}`, ErrUnavailable, "cannot be read"},
	} {
		loki, _ := answering(t, tc.status, tc.body)
		_, err := loki.Query(t.Context(), Query{Start: from, End: to})
		var got *RefusedError
		if refused, ok := tc.want.(*RefusedError); ok { //nolint:errorlint // It is the table's own.
			require.ErrorAs(t, err, &got)
			assert.Equal(t, refused, got)
			continue
		}
		require.ErrorIs(t, err, tc.want, tc.body)
		assert.ErrorContains(t, err, tc.text)
	}
}

func TestALokiThatIsAwayOrSlow(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	slow := NewLoki(server.URL, &http.Client{Timeout: time.Millisecond})
	_, err := slow.Labels(t.Context(), Selection{Start: from, End: to})
	require.ErrorIs(t, err, ErrTimeout)

	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = slow.Labels(canceled, Selection{Start: from, End: to})
	require.ErrorIs(t, err, context.Canceled)

	server.Close()
	slow.Close()
	_, err = NewLoki("http://user:secret@"+server.Listener.Addr().String(), server.Client()).Labels(t.Context(), Selection{Start: from, End: to})
	require.ErrorIs(t, err, ErrUnavailable)
	require.NotContains(t, err.Error(), "secret")
}

// Whatever Loki answers, it is a result or an error.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"data":{"resultType":"streams","result":[{"stream":{"a":"b"},"values":[["1","x",{"parsed":{"c":"d"}}]]}]}}`))
	f.Add([]byte(`{"data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1,"NaN"]],"value":[1e300,"1"]}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		transport := roundTrip(func(*http.Request) (*http.Response, error) {
			recorder := httptest.NewRecorder()
			_, err := recorder.Write(body)
			return recorder.Result(), err
		})
		loki := NewLoki("http://loki", &http.Client{Transport: transport})
		_, err := loki.Query(t.Context(), Query{Start: from, End: to})
		if err != nil {
			require.ErrorIs(t, err, ErrUnavailable)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
