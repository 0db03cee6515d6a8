package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// lokiLine is a line as Loki tells it, with its labels and structured metadata.
type lokiLine struct {
	labels map[string]string
	text   string
}

// tryLines asks Loki for the lines of a query over the last 30 days, the oldest first.
func (l *loki) tryLines(query string) ([]lokiLine, error) {
	parameters := url.Values{
		"query": {query}, "limit": {"5000"}, "direction": {"forward"},
		"start": {strconv.FormatInt(time.Now().Add(-30*24*time.Hour).UnixNano(), 10)},
		"end":   {strconv.FormatInt(time.Now().Add(time.Hour).UnixNano(), 10)},
	}
	status, body, err := tryRequest(http.MethodGet, l.url("/loki/api/v1/query_range?"+parameters.Encode()), "", nil)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("%d: %s", status, body)
	}
	var answer struct {
		Data struct {
			Result []struct {
				Stream map[string]string
				Values [][2]string
			}
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, err
	}
	var lines []lokiLine
	for _, stream := range answer.Data.Result {
		for _, value := range stream.Values {
			lines = append(lines, lokiLine{labels: stream.Stream, text: value[1]})
		}
	}
	return lines, nil
}

// awaitLines waits until Loki has as many lines of a query.
func (l *loki) awaitLines(query string, n int) (lines []lokiLine) {
	l.t.Helper()
	await(l.t, query, func() (err error) {
		if lines, err = l.tryLines(query); err == nil {
			err = atLeast(len(lines), n)
		}
		return err
	})
	return lines
}

func lineTexts(lines []lokiLine) (texts []string) {
	for _, line := range lines {
		texts = append(texts, line.text)
	}
	return texts
}
