package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// query is asked at the end of the load, or over all of it.
type query struct {
	expr   string
	ranged bool
}

func queries() []query {
	return []query{
		{expr: `bench_queue_depth{job="service-1"}`},
		{expr: `sum by (http_route) (rate(bench_requests_total[5m]))`},
		{expr: `topk(10, bench_memory_used_bytes)`},
		{expr: `histogram_quantile(0.95, sum by (le, http_route) (rate(bench_request_duration_seconds_bucket[5m])))`},
		{expr: `count by (job) ({__name__=~"bench_.*_total", http_request_method=~"G.*|P.*"})`},
		{expr: `sum(bench_errors_total) / sum(bench_requests_total)`},
		{expr: `bench_queue_depth{job="service-1", http_route="/route-1"}`, ranged: true},
		{expr: `sum by (job) (rate(bench_requests_total[1m]))`, ranged: true},
		{expr: `topk(5, sum by (job) (bench_connections))`, ranged: true},
		{expr: `histogram_quantile(0.99, sum by (le) (rate(bench_request_duration_seconds_bucket[1m])))`, ranged: true},
		{expr: `max_over_time(bench_temperature_celsius{http_route=~"/route-[1-5]"}[1m])`, ranged: true},
		{expr: `sum by (http_response_status_code) (increase(bench_network_io_bytes_total[2m]))`, ranged: true},
	}
}

// client asks Prometheus' HTTP API below a base URL.
type client struct {
	base string
	http *http.Client
}

func newClient(base string) *client { return &client{base: base, http: &http.Client{}} }

// rows asks a query and gives how many elements the answer has.
func (c *client) rows(ctx context.Context, q query, at time.Time, span time.Duration) (int, error) {
	form, path := url.Values{"query": {q.expr}}, "/query"
	if q.ranged {
		path = "/query_range"
		form.Set("start", unix(at.Add(-span)))
		form.Set("end", unix(at))
		form.Set("step", "15")
	} else {
		form.Set("time", unix(at))
	}
	result, err := c.get(ctx, path, form)
	return len(result), err
}

// content counts the series and the samples of the load.
func (c *client) content(ctx context.Context, at time.Time, span time.Duration) (series, samples int, err error) {
	perMetric, err := c.vector(ctx, `count by (__name__) ({__name__=~"bench_.+"})`, at)
	if err != nil {
		return 0, 0, err
	}
	for _, metric := range perMetric {
		series += metric.count
		// One metric at a time: without their names, series of different metrics have the same labels.
		expr := fmt.Sprintf("sum(count_over_time(%s[%ds]))", metric.name, int(span.Seconds()))
		counted, err := c.vector(ctx, expr, at)
		if err != nil {
			return 0, 0, err
		}
		for _, sum := range counted {
			samples += sum.count
		}
	}
	return series, samples, nil
}

// element of an answer whose values are counts.
type element struct {
	name  string
	count int
}

func (c *client) vector(ctx context.Context, expr string, at time.Time) ([]element, error) {
	result, err := c.get(ctx, "/query", url.Values{"query": {expr}, "time": {unix(at)}})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", expr, err)
	}
	elements := make([]element, 0, len(result))
	for _, raw := range result {
		var sample struct {
			Metric map[string]string  `json:"metric"`
			Value  [2]json.RawMessage `json:"value"`
		}
		var text string
		if err := json.Unmarshal(raw, &sample); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(sample.Value[1], &text); err != nil {
			return nil, err
		}
		count, err := strconv.Atoi(text)
		if err != nil {
			return nil, err
		}
		elements = append(elements, element{name: sample.Metric["__name__"], count: count})
	}
	return elements, nil
}

func (c *client) get(ctx context.Context, path string, form url.Values) ([]json.RawMessage, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path+"?"+form.Encode(), http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer struct {
		Status string `json:"status"`
		Error  string `json:"error"`
		Data   struct {
			Result []json.RawMessage `json:"result"`
		} `json:"data"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("%s: %w", resp.Status, err)
	}
	if answer.Status != "success" {
		return nil, fmt.Errorf("%s: %s", resp.Status, answer.Error)
	}
	return answer.Data.Result, nil
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
