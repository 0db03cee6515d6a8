package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/storage/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

// malformedRequests is how many are sent to each of the two inputs that people write by hand. The others, whose
// senders are programs, get a quarter.
const malformedRequests = 10_000

// input is a way in for bytes from outside.
type input struct {
	name     string
	requests int
	send     func(body []byte) (status int, answer []byte, err error)
	seeds    [][]byte
}

// TestMalformedInputIsRefused sends mutations of valid requests. Whatever they hold is the sender's fault, so that
// no 5xx may answer them.
func TestMalformedInputIsRefused(t *testing.T) {
	t.Parallel()
	c := startCollector(t, allInOne)
	c.send(gauges("shop", "up_and_away", 0, 10, time.Now(), 1))
	for i, in := range c.inputs(t) {
		t.Run(in.name, func(t *testing.T) {
			t.Parallel()
			statuses := in.flood(t, uint64(i))
			t.Logf("answers by status: %v", statuses)
			assert.Greater(t, len(statuses), 1, "some mutations are still valid, and some are not")
		})
	}
	t.Cleanup(func() {
		assert.NoError(t, c.ready())
		assert.InDelta(t, 10, c.number("count(last_over_time(up_and_away[1h]))"), 0, "however long the floods took")
		assert.Empty(t, c.log().lines("Cannot answer a request"))
	})
}

// flood sends mutations from a few senders and counts the answers.
func (in input) flood(t *testing.T, seed uint64) map[int]int {
	t.Helper()
	const senders = 4
	var (
		mu       sync.Mutex
		statuses = map[int]int{}
		failed   int
		done     sync.WaitGroup
	)
	for s := range senders {
		done.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(s)))
			for range in.requests / senders {
				body := mutate(random, in.seeds)
				status, answer, err := in.send(body)
				mu.Lock()
				statuses[status]++
				if err != nil || status >= 500 {
					failed++
					if failed <= 5 {
						t.Errorf("%q: %d %s %v", body, status, answer, err)
					}
				}
				mu.Unlock()
			}
		})
	}
	done.Wait()
	return statuses
}

// mutate changes a seed in one to four places.
func mutate(random *rand.Rand, seeds [][]byte) []byte {
	body := bytes.Clone(seeds[random.IntN(len(seeds))])
	for range 1 + random.IntN(4) {
		at := random.IntN(len(body) + 1)
		end := min(len(body), at+random.IntN(8))
		switch random.IntN(5) {
		case 0: // cut
			body = append(body[:at:at], body[end:]...)
		case 1: // repeat
			body = append(body[:end:end], body[at:]...)
		case 2: // spoil a byte
			if at < len(body) {
				body[at] ^= byte(1 + random.IntN(255))
			}
		case 3: // put in what parsers trip over
			token := tokens[random.IntN(len(tokens))]
			body = append(body[:at:at], append([]byte(token), body[at:]...)...)
		case 4: // end early
			body = body[:at]
		}
	}
	return body
}

var tokens = []string{
	"null", "NaN", "1e999", "-1e999", "-0", "[", "{", "}", "\"", "\\", "\\u0000", "\x00", "\xff", "\xff\xff\xff\xff\x0f", "(", ")",
	"[5m]", " offset -9999d", "@ 0", "[1s:1ms]", "__name__", "=~\"(\"", "9223372036854775808", "0001-01-01T00:00:00Z", "ünï", "#", "\n",
}

func (c *collector) inputs(t *testing.T) []input {
	t.Helper()
	otlp, err := pmetricotlp.NewExportRequestFromMetrics(withExemplar(time.Now())).MarshalProto()
	require.NoError(t, err)
	lbls := labels.FromStrings("__name__", "written", "town", "bonn")
	v1, err := writeRequest1(lbls, time.Now().UnixMilli(), 1)
	require.NoError(t, err)
	v2, err := writeRequest2(lbls, time.Now().UnixMilli(), 1)
	require.NoError(t, err)
	now := time.Now().UTC()
	query, err := remote.ToQuery(now.UnixMilli()-60_000, now.UnixMilli(), []*labels.Matcher{
		labels.MustNewMatcher(labels.MatchRegexp, "__name__", "up.*"), labels.MustNewMatcher(labels.MatchNotEqual, "n", "3"),
	}, nil)
	require.NoError(t, err)
	read, err := (&prompb.ReadRequest{Queries: []*prompb.Query{query}}).Marshal()
	require.NoError(t, err)
	write := at(c.api, "/prometheus/api/v1/write")
	return []input{
		{"custom metrics", malformedRequests, poster(at(c.api, "/api/v1/metrics/custom"), "application/json"), [][]byte{
			[]byte(`{"metrics": [{"name": "rows", "value": 12.5, "labels": {"table": "orders", "job": "x"}, "timestamp": "` + now.Format(time.RFC3339Nano) + `"}]}`),
			[]byte(`{"metrics": [{"name": "a", "value": 1}, {"name": "b", "value": -2e3, "labels": {}}]}`),
		}},
		{"queries", malformedRequests, c.asker("/api/v1/metrics"), [][]byte{
			[]byte("query=sum by (job) (rate(up_and_away[5m]))&time=" + now.Format(time.RFC3339)),
			[]byte(fmt.Sprintf("query=up_and_away{n=~\"1|2\"} > 0 or vector(1)&start=%d&end=%d&step=15s", now.Unix()-600, now.Unix())),
			[]byte("query=histogram_quantile(0.9, up_and_away)&start=" + now.Add(-time.Hour).Format(time.RFC3339) + "&end=" + now.Format(time.RFC3339) + "&step=60"),
		}},
		{"Prometheus' queries", malformedRequests / 4, c.asker("/prometheus/api/v1/query_range"), [][]byte{
			[]byte(fmt.Sprintf("query=sum(up_and_away)&start=%d&end=%d&step=15&timeout=5s&limit=3", now.Unix()-600, now.Unix())),
		}},
		{"Prometheus' series", malformedRequests / 4, c.asker("/prometheus/api/v1/series"), [][]byte{
			[]byte(fmt.Sprintf("match[]={__name__=~\"up.*\"}&start=%d&end=%d", now.Unix()-600, now.Unix())),
		}},
		{"OTLP", malformedRequests / 4, poster(at(c.otlpHTTP, "/v1/metrics"), protobuf), [][]byte{otlp}},
		{"OTLP as JSON", malformedRequests / 4, asASCII(poster(at(c.otlpHTTP, "/v1/metrics"), "application/json")), [][]byte{
			[]byte(`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"j","gauge":{"dataPoints":[{"asDouble":1.5,"timeUnixNano":"` + unixNano() + `"}]}}]}]}]}`),
		}},
		{"remote write 1.0", malformedRequests / 4, compressed(write, protobuf), [][]byte{v1}},
		{"remote write 2.0", malformedRequests / 4, compressed(write, protobuf+";proto=io.prometheus.write.v2.Request"), [][]byte{v2}},
		{"remote read", malformedRequests / 4, compressed(at(c.api, "/prometheus/api/v1/read"), protobuf), [][]byte{read}},
		{"remote write of no snappy", malformedRequests / 4, poster(write, protobuf), [][]byte{snappy.Encode(nil, v1)}},
	}
}

func poster(target, contentType string) func([]byte) (int, []byte, error) {
	return func(body []byte) (int, []byte, error) { return tryRequest(http.MethodPost, target, contentType, body) }
}

// asASCII keeps other text away from the otlp receiver's JSON: its answer quotes the place of the fault, byte by
// byte, and where that splits a character it cannot encode the answer (500, "failed to marshal error message").
func asASCII(send func([]byte) (int, []byte, error)) func([]byte) (int, []byte, error) {
	return func(body []byte) (int, []byte, error) {
		return send(bytes.Map(func(r rune) rune { return r & 0x7f }, body))
	}
}

// compressed has a mutation of the message within.
func compressed(target, contentType string) func([]byte) (int, []byte, error) {
	send := poster(target, contentType)
	return func(body []byte) (int, []byte, error) { return send(snappy.Encode(nil, body)) }
}

// asker takes "key=value&…" unescaped, so that mutations reach values and keys. It escapes what no URL holds.
func (c *collector) asker(path string) func([]byte) (int, []byte, error) {
	return func(body []byte) (int, []byte, error) {
		query := url.Values{}
		for pair := range bytes.SplitSeq(body, []byte("&")) {
			key, value, _ := bytes.Cut(pair, []byte("="))
			query.Add(string(key), string(value))
		}
		return tryRequest(http.MethodGet, at(c.api, path+"?"+query.Encode()), "", nil)
	}
}
