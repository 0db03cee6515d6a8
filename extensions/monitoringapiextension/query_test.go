package monitoringapiextension

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/quantivista/monitoring/internal/metricstore"
)

const series = `load 1m
	up{job="a"} 1+0x10
	up{job="b"} 0+0x10
	requests_total 0+10x10
	latency {{schema:0 sum:5 count:4 buckets:[1 2 1]}}x10`

// ask queries as of the given parameters.
func ask(t testing.TB, base string, parameters ...string) answer {
	t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(parameters); i += 2 {
		values.Set(parameters[i], parameters[i+1])
	}
	return get(t, base+"/api/v1/metrics?"+values.Encode())
}

func TestQuery(t *testing.T) {
	_, base := start(t, newTestStore(t, series))
	tests := map[string]struct {
		parameters []string
		want       string
	}{
		"instant, Unix time": {
			[]string{"query", `up{job="a"}`, "time", "60"},
			`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a"},"value":[60,"1"]}]}}`,
		},
		"instant, RFC 3339 with fractions": {
			[]string{"query", `up{job="b"}`, "time", "1970-01-01T01:01:00.5+01:00"},
			`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"b"},"value":[60.5,"0"]}]}}`,
		},
		"instant, nothing found": {
			[]string{"query", "nothing"}, `{"status":"success","data":{"resultType":"vector","result":[]}}`,
		},
		"scalar": {
			[]string{"query", "1/0", "time", "1.5"},
			`{"status":"success","data":{"resultType":"scalar","result":[{"metric":{},"value":[1.5,"+Inf"]}]}}`,
		},
		"string": {
			[]string{"query", `"x\"y"`, "time", "0"},
			`{"status":"success","data":{"resultType":"string","result":[{"metric":{},"value":[0,"x\"y"]}]}}`,
		},
		"native histogram": {
			[]string{"query", `histogram_count(latency)`, "time", "60"},
			`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[60,"4"]}]}}`,
		},
		"range, duration": {
			[]string{"query", "requests_total", "start", "0", "end", "120", "step", "1m"},
			`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"requests_total"},"values":[[0,"0"],[60,"10"],[120,"20"]]}]}}`,
		},
		"range, seconds": {
			[]string{"query", "vector(1)", "start", "0", "end", "1", "step", "0.5"},
			`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[0,"1"],[0.5,"1"],[1,"1"]]}]}}`,
		},
		"range of one point": {
			[]string{"query", "vector(1)", "start", "5", "end", "5"},
			`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[5,"1"]]}]}}`,
		},
		"infos": {
			[]string{"query", `rate(up{job="a"}[5m])`, "time", "120"},
			`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"job":"a"},"value":[120,"0"]}]},
			"infos":["PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"up\" (1:6)"]}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := ask(t, base, tt.parameters...)
			assert.Equal(t, http.StatusOK, got.status)
			assert.Equal(t, "application/json", got.header.Get("Content-Type"))
			assert.JSONEq(t, tt.want, got.body)
		})
	}
}

func TestQueryWritesHistograms(t *testing.T) {
	_, base := start(t, newTestStore(t, series))
	assert.Contains(t, ask(t, base, "query", "latency", "time", "60").body, `"histogram":[60,{"count":"4","sum":"5","buckets":`)
	assert.Contains(t, ask(t, base, "query", "latency", "start", "60", "end", "60").body, `"histograms":[[60,{"count":"4"`)
}

func TestQueryChoosesAStep(t *testing.T) {
	_, base := start(t, newTestStore(t, series))
	body := ask(t, base, "query", "vector(1)", "start", "0", "end", "25000").body
	assert.Equal(t, 251, strings.Count(body, `"1"`))
	assert.Contains(t, body, `[100,"1"],[200,"1"]`)
}

func TestQueryRefusesBadParameters(t *testing.T) {
	_, base := start(t, newTestStore(t, series))
	tests := map[string]struct {
		parameters []string
		fields     []string
	}{
		"no query":            {nil, []string{"query"}},
		"empty query":         {[]string{"query", ""}, []string{"query"}},
		"bad time":            {[]string{"query", "up", "time", "yesterday"}, []string{"time"}},
		"time is NaN":         {[]string{"query", "up", "time", "NaN"}, []string{"time"}},
		"time is infinite":    {[]string{"query", "up", "time", "Inf"}, []string{"time"}},
		"time out of range":   {[]string{"query", "up", "time", "1e300"}, []string{"time"}},
		"empty time":          {[]string{"query", "up", "time", ""}, []string{"time"}},
		"start without end":   {[]string{"query", "up", "start", "0"}, []string{"end"}},
		"end without start":   {[]string{"query", "up", "end", "0"}, []string{"start"}},
		"time with a range":   {[]string{"query", "up", "start", "0", "end", "1", "time", "0"}, []string{"time"}},
		"step of no range":    {[]string{"query", "up", "step", "1m"}, []string{"step"}},
		"end before start":    {[]string{"query", "up", "start", "2", "end", "1"}, []string{"end"}},
		"bad step":            {[]string{"query", "up", "start", "0", "end", "1", "step", "often"}, []string{"step"}},
		"step is zero":        {[]string{"query", "up", "start", "0", "end", "1", "step", "0"}, []string{"step"}},
		"step is negative":    {[]string{"query", "up", "start", "0", "end", "1", "step", "-5"}, []string{"step"}},
		"step is NaN":         {[]string{"query", "up", "start", "0", "end", "1", "step", "NaN"}, []string{"step"}},
		"step is too short":   {[]string{"query", "up", "start", "0", "end", "0", "step", "0.0001"}, []string{"step"}},
		"step is huge":        {[]string{"query", "up", "start", "0", "end", "1", "step", "1e18"}, []string{"step"}},
		"too many points":     {[]string{"query", "up", "start", "0", "end", "11001", "step", "1"}, []string{"step"}},
		"points of centuries": {[]string{"query", "up", "start", "-62135596800", "end", "253402300799", "step", "10d"}, []string{"step"}},
		"all faults at once":  {[]string{"query", "up", "start", "x", "end", "y", "step", "z"}, []string{"start", "end", "step"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := ask(t, base, tt.parameters...)
			assert.Equal(t, http.StatusBadRequest, got.status)
			var fields []string
			for _, f := range got.problem(t).Errors {
				fields = append(fields, f.Field)
			}
			assert.Equal(t, tt.fields, fields, got.body)
		})
	}
	t.Run("as many points as Prometheus", func(t *testing.T) {
		assert.Equal(t, http.StatusOK, ask(t, base, "query", "vector(1)", "start", "0", "end", "9999", "step", "1").status)
	})
	t.Run("twice the same parameter", func(t *testing.T) {
		got := get(t, base+"/api/v1/metrics?query=up&query=down")
		assert.Equal(t, http.StatusBadRequest, got.status)
		assert.Equal(t, "query", got.problem(t).Errors[0].Field)
	})
	t.Run("undecodable query string", func(t *testing.T) {
		got := get(t, base+"/api/v1/metrics?query=up&time=%zz")
		assert.Equal(t, http.StatusBadRequest, got.status)
		assert.Equal(t, "query string", got.problem(t).Errors[0].Field)
	})
}

func TestQueryFailures(t *testing.T) {
	store := newTestStore(t, series)
	_, base := start(t, store)
	t.Run("syntax tells the position", func(t *testing.T) {
		got := ask(t, base, "query", "up{")
		assert.Equal(t, http.StatusBadRequest, got.status)
		assert.Equal(t, "query", got.problem(t).Errors[0].Field)
		assert.Contains(t, got.problem(t).Errors[0].Detail, "1:4: parse error: unexpected end of input inside braces")
	})
	t.Run("many-to-many", func(t *testing.T) {
		got := ask(t, base, "query", "up * on () up", "time", "60")
		assert.Equal(t, http.StatusUnprocessableEntity, got.status)
		assert.Equal(t, "query", got.problem(t).Errors[0].Field)
	})
	t.Run("too many samples", func(t *testing.T) {
		got := ask(t, base, "query", "count_over_time(vector(1)[20000s:1s])")
		assert.Equal(t, http.StatusUnprocessableEntity, got.status)
		assert.Contains(t, got.problem(t).Detail, metricstore.ErrTooManySamples.Error())
	})
	for _, tt := range []struct {
		err        error
		status     int
		retryAfter string
	}{
		{metricstore.ErrTimeout, http.StatusServiceUnavailable, ""},
		{metricstore.ErrUnavailable, http.StatusServiceUnavailable, "5"},
		{fmt.Errorf("secret detail"), http.StatusInternalServerError, ""},
	} {
		t.Run(tt.err.Error(), func(t *testing.T) {
			store.fail = tt.err
			got := ask(t, base, "query", "up")
			assert.Equal(t, tt.status, got.status)
			assert.Equal(t, tt.retryAfter, got.header.Get("Retry-After"))
			assert.NotContains(t, got.problem(t).Detail, "secret")
		})
	}
}

func TestQueryAnswersAreCompressed(t *testing.T) {
	_, base := start(t, newTestStore(t, series))
	got := do(t, http.MethodGet, base+"/api/v1/metrics?query=up&time=60", "", "Accept-Encoding", "gzip")
	require.Equal(t, "gzip", got.header.Get("Content-Encoding"))
	unpacked, err := gzip.NewReader(strings.NewReader(got.body))
	require.NoError(t, err)
	body, err := io.ReadAll(unpacked)
	require.NoError(t, err)
	assert.JSONEq(t, ask(t, base, "query", "up", "time", "60").body, string(body))
}

func FuzzQueryParameters(f *testing.F) {
	for _, seed := range [][5]string{
		{"up", "", "", "", ""}, {"up", "0", "60", "1m", ""}, {"rate(up[5m])", "", "", "", "1970-01-01T00:00:00Z"},
		{"up{", "a", "b", "c", "d"}, {"(((((", "1e300", "-1e300", "1e-300", "NaN"}, {"\xff{a=\"\x00\"}", "0", "0", "0.0001", ""},
		{"1[5m:]", "0", "1", "1y", ""}, {"up @ end()", "-62167219200", "253402300799", "106751d", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], seed[4])
	}
	_, base := start(f, newTestStore(f, series))
	f.Fuzz(func(t *testing.T, query, start, end, step, at string) {
		values := url.Values{}
		for name, value := range map[string]string{"query": query, "start": start, "end": end, "step": step, "time": at} {
			if value != "" {
				values.Set(name, value)
			}
		}
		got := get(t, base+"/api/v1/metrics?"+values.Encode())
		if got.status >= http.StatusInternalServerError {
			t.Fatalf("status %d for %v: %s", got.status, values, got.body)
		}
		if got.status != http.StatusOK && got.problem(t).Detail == "" {
			t.Fatalf("no detail in %s", got.body)
		}
	})
}

func FuzzParseTime(f *testing.F) {
	for _, seed := range []string{"0", "-1.5", "1e10", "NaN", "2025-06-20T15:08:23.123456789+14:00", "0000-01-01T00:00:00Z"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseTime(s)
		if err != nil {
			return
		}
		if got.Year() < 0 || got.Year() > 9999 {
			t.Fatalf("%q gives the year %d", s, got.Year())
		}
		again, err := parseTime(got.Format(time.RFC3339Nano))
		if err != nil || !again.Equal(got) {
			t.Fatalf("%q gives %s, which reads as %s, %v", s, got, again, err)
		}
	})
}
