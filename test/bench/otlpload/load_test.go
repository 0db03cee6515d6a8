package otlpload

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

var small = Shape{Resources: 3, Series: 100, Samples: 4, Step: 15 * time.Second, End: time.Unix(1_700_000_000, 0)}

func TestNumbersHaveTheShapeAndTheSameBytesEveryTime(t *testing.T) {
	lanes, err := Numbers(small, 2)
	require.NoError(t, err)
	again, err := Numbers(small, 2)
	require.NoError(t, err)
	require.Equal(t, lanes, again)

	points, series := 0, map[string]bool{}
	for _, lane := range lanes {
		for _, request := range lane {
			decoded := pmetricotlp.NewExportRequest()
			require.NoError(t, decoded.UnmarshalProto(request.Body))
			assert.Equal(t, request.Items, decoded.Metrics().DataPointCount())
			points += request.Items
			for key := range identities(decoded) {
				series[key] = true
			}
		}
	}
	assert.Equal(t, small.Points(), points)
	assert.Len(t, series, small.Resources*small.Series)
}

// identities gives resource, metric and attributes of every data point of a request of one resource.
func identities(request pmetricotlp.ExportRequest) map[string]bool {
	keys := map[string]bool{}
	rm := request.Metrics().ResourceMetrics().At(0)
	name, _ := rm.Resource().Attributes().Get("service.name")
	for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
		var points pmetric.NumberDataPointSlice
		if m.Type() == pmetric.MetricTypeSum {
			points = m.Sum().DataPoints()
		} else {
			points = m.Gauge().DataPoints()
		}
		for _, p := range points.All() {
			attributes := p.Attributes()
			method, _ := attributes.Get("http.request.method")
			status, _ := attributes.Get("http.response.status_code")
			route, _ := attributes.Get("http.route")
			keys[name.Str()+m.Name()+method.Str()+status.AsString()+route.Str()] = true
		}
	}
	return keys
}

func TestSendRetriesWhatIsRefusedForNowAndCountsWhatIsRejected(t *testing.T) {
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Error(err)
		}
		if calls.Add(1) == 1 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		response := pmetricotlp.NewExportResponse()
		response.PartialSuccess().SetRejectedDataPoints(1)
		body, err := response.MarshalProto()
		if err != nil {
			t.Error(err)
		}
		if _, err := w.Write(body); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	lanes, err := Numbers(small, 2)
	require.NoError(t, err)
	accepted, err := Send(t.Context(), server.URL, lanes)
	require.NoError(t, err)
	requests := int64(small.Resources * small.Samples)
	assert.Equal(t, int64(small.Points())-requests, accepted)
	assert.Equal(t, requests+1, calls.Load())
}

func TestSendStopsAtARefusalForGood(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	lanes, err := Histograms(small)
	require.NoError(t, err)
	_, err = Send(t.Context(), server.URL, lanes)
	require.ErrorContains(t, err, "404")
}
