package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
)

// Traces reach a real Jaeger, and logs a real Loki, by one environment variable each.
func TestTracesReachJaegerAndLogsReachLoki(t *testing.T) {
	t.Parallel()
	j, l := startJaeger(t), startLoki(t)
	c := startCollector(t, allInOne, withEnv("JAEGER_ENDPOINT="+j.endpoint(), "LOKI_ENDPOINT="+l.endpoint()))
	c.sendSpan("shop")
	c.sendLog("shop", "out of stock")
	await(t, "the span in Jaeger", func() error { return j.has("shop") })
	await(t, "the line in Loki", func() error { return l.has(`{service_name="shop"}`, "out of stock") })
	c.terminate()
}

// has gives an error unless a service is known there.
func (j *jaeger) has(service string) error {
	var answer struct{ Services []string }
	if err := tryJSON(at(j.queryHTTP, "/api/v3/services"), &answer); err != nil {
		return err
	}
	for _, known := range answer.Services {
		if known == service {
			return nil
		}
	}
	return fmt.Errorf("services are %q", answer.Services)
}

// has gives an error unless a stream has a line.
func (l *loki) has(selector, line string) error {
	lines, err := l.lines(selector)
	if err != nil {
		return err
	}
	for _, found := range lines {
		if found == line {
			return nil
		}
	}
	return fmt.Errorf("lines are %q", lines)
}

// lines gives up to 5,000 lines of the last hour, the newest first.
func (l *loki) lines(query string) ([]string, error) {
	var answer struct {
		Data struct {
			Result []struct{ Values [][]string }
		}
	}
	if err := tryJSON(l.url("/loki/api/v1/query_range?limit=5000&query="+url.QueryEscape(query)), &answer); err != nil {
		return nil, err
	}
	var lines []string
	for _, stream := range answer.Data.Result {
		for _, value := range stream.Values {
			lines = append(lines, value[1])
		}
	}
	return lines, nil
}

// tryJSON reads an answer with status 200.
func tryJSON(target string, answer any) error {
	status, body, err := tryRequest(http.MethodGet, target, "", nil)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("%s: %d: %s", target, status, body)
	}
	return json.Unmarshal(body, answer)
}

// hasTrace gives an error unless a trace has spans of these names, and no others.
func (j *jaeger) hasTrace(id string, names ...string) error {
	var answer struct {
		Result struct {
			ResourceSpans []struct {
				ScopeSpans []struct{ Spans []struct{ Name string } }
			}
		}
	}
	if err := tryJSON(at(j.queryHTTP, "/api/v3/traces/"+id), &answer); err != nil {
		return err
	}
	var found []string
	for _, rs := range answer.Result.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			for _, span := range ss.Spans {
				found = append(found, span.Name)
			}
		}
	}
	slices.Sort(found)
	slices.Sort(names)
	if !slices.Equal(found, names) {
		return fmt.Errorf("spans are %q", found)
	}
	return nil
}
