package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// TestGrafanaDataSource makes the calls of Grafana's Prometheus data source, from the test of the data source to
// a panel with exemplars.
func TestGrafanaDataSource(t *testing.T) {
	t.Parallel()
	c := startCollector(t, allInOne)
	now := time.Now()
	c.send(withExemplar(now))
	span := url.Values{"start": {fromNow(-time.Minute)}, "end": {fromNow(time.Minute)}}
	with := func(key, value string) url.Values {
		form := url.Values{key: {value}}
		for k, v := range span {
			form[k] = v
		}
		return form
	}

	var build struct{ Version, GoVersion string }
	c.prometheus(t, http.MethodGet, "status/buildinfo", nil, &build)
	assert.Regexp(t, `^[23]\.`, build.Version, "Grafana takes its features from the version")

	var names []string
	c.prometheus(t, http.MethodGet, "label/__name__/values", span, &names)
	assert.Contains(t, names, "orders_total")
	c.prometheus(t, http.MethodGet, "labels", with("match[]", "orders_total"), &names)
	assert.Equal(t, []string{"__name__", "instance", "job", "town"}, names)
	c.prometheus(t, http.MethodPost, "labels", with("match[]", "orders_total"), &names)
	assert.Equal(t, []string{"__name__", "instance", "job", "town"}, names)
	c.prometheus(t, http.MethodGet, "label/town/values", with("match[]", `{job="shop"}`), &names)
	assert.Equal(t, []string{"bonn"}, names)

	var found []map[string]string
	identity := map[string]string{"__name__": "orders_total", "job": "shop", "instance": "shop-1", "town": "bonn"}
	c.prometheus(t, http.MethodPost, "series", with("match[]", "orders_total"), &found)
	assert.Equal(t, []map[string]string{identity}, found)

	var metadata map[string][]struct{ Type, Help, Unit string }
	c.prometheus(t, http.MethodGet, "metadata", nil, &metadata)
	require.Len(t, metadata["orders_total"], 1, "%v", metadata)
	assert.Equal(t, "counter", metadata["orders_total"][0].Type)
	assert.Equal(t, "Orders that were placed.", metadata["orders_total"][0].Help)

	var answer struct {
		ResultType string
		Result     []series
	}
	form := with("query", "orders_total")
	form.Set("step", "15")
	c.prometheus(t, http.MethodPost, "query_range", form, &answer)
	assert.Equal(t, "matrix", answer.ResultType)
	require.Len(t, answer.Result, 1)
	assert.Equal(t, identity, answer.Result[0].Metric)
	c.prometheus(t, http.MethodPost, "query", url.Values{"query": {"orders_total"}, "time": {fromNow(time.Second)}}, &answer)
	assert.Equal(t, "vector", answer.ResultType)
	require.Len(t, answer.Result, 1)
	assert.InDelta(t, 5, answer.Result[0].Value.value, 0)

	var exemplars []struct {
		SeriesLabels map[string]string
		Exemplars    []struct {
			Labels map[string]string
			Value  string
		}
	}
	c.prometheus(t, http.MethodPost, "query_exemplars", with("query", "orders_total"), &exemplars)
	require.Len(t, exemplars, 1)
	assert.Equal(t, identity, exemplars[0].SeriesLabels)
	require.Len(t, exemplars[0].Exemplars, 1)
	assert.Equal(t, "01000000000000000000000000000000", exemplars[0].Exemplars[0].Labels["trace_id"])

	var rules struct{ Groups []struct{ Name, File string } }
	c.prometheus(t, http.MethodGet, "rules", nil, &rules)
	require.Len(t, rules.Groups, 1, "there are no rule files here")
	assert.Equal(t, "built-in", rules.Groups[0].File)
	var targets struct{ ActiveTargets []struct{ ScrapePool string } }
	await(t, "the target", func() error {
		c.prometheus(t, http.MethodGet, "targets", nil, &targets)
		return atLeast(len(targets.ActiveTargets), 1)
	})
	assert.Equal(t, "otelcol-quantivista", targets.ActiveTargets[0].ScrapePool)

	status, body := postForm(t, at(c.api, "/prometheus/api/v1/query"), url.Values{"query": {"sum("}})
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Contains(t, body, `"errorType":"bad_data"`)
}

// TestPrometheusAPIsOtherPaths looks only for answers: the tests of the API itself compare them with Prometheus'.
func TestPrometheusAPIsOtherPaths(t *testing.T) {
	t.Parallel()
	c := startCollector(t, allInOne)
	for _, path := range []string{
		"alerts", "status/runtimeinfo", "status/flags", "status/tsdb", "format_query?query=up%2Bup", "parse_query?query=up",
		"targets/metadata", "scrape_pools", "query?query=1", "query_range?query=1&start=0&end=1&step=1",
	} {
		var data any
		getJSON(t, at(c.api, "/prometheus/api/v1/"+path), &data)
	}
}

// prometheus asks Prometheus' API and wants data.
func (c *collector) prometheus(t *testing.T, method, path string, form url.Values, into any) {
	t.Helper()
	target := at(c.api, "/prometheus/api/v1/"+path)
	var (
		status int
		body   string
	)
	if method == http.MethodPost {
		status, body = postForm(t, target, form)
	} else {
		status, body = get(t, target+"?"+form.Encode())
	}
	require.Equal(t, http.StatusOK, status, "%s: %s", path, body)
	var answer struct {
		Status string
		Data   json.RawMessage
	}
	require.NoError(t, json.Unmarshal([]byte(body), &answer), body)
	require.Equal(t, "success", answer.Status)
	require.NoError(t, json.Unmarshal(answer.Data, into), body)
}

// withExemplar makes a counter with an exemplar.
func withExemplar(at time.Time) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "shop")
	rm.Resource().Attributes().PutStr("service.instance.id", "shop-1")
	metric := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	metric.SetName("orders")
	metric.SetDescription("Orders that were placed.")
	sum := metric.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	point := sum.DataPoints().AppendEmpty()
	point.SetTimestamp(pcommon.NewTimestampFromTime(at))
	point.SetIntValue(5)
	point.Attributes().PutStr("town", "bonn")
	exemplar := point.Exemplars().AppendEmpty()
	exemplar.SetTimestamp(pcommon.NewTimestampFromTime(at))
	exemplar.SetIntValue(1)
	exemplar.SetTraceID(pcommon.TraceID{1})
	exemplar.SetSpanID(pcommon.SpanID{2})
	return md
}
