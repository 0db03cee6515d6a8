package logs

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

type queryAnswer struct {
	Data struct {
		ResultType string            `json:"resultType"`
		Result     []json.RawMessage `json:"result"`
	} `json:"data"`
}

// Query implements Reader.
func (c *Loki) Query(ctx context.Context, q Query) (Result, error) {
	query := url.Values{"query": {q.LogQL}, "limit": {strconv.Itoa(q.Limit)}, "direction": {"backward"}}
	if q.Forward {
		query.Set("direction", "forward")
	}
	if q.Step > 0 {
		query.Set("step", strconv.FormatFloat(q.Step.Seconds(), 'f', -1, 64))
	}
	span(query, q.Start, q.End)
	var answer queryAnswer
	if err := c.get(ctx, "/loki/api/v1/query_range", query, &answer); err != nil {
		return Result{}, err
	}
	result := Result{Metric: answer.Data.ResultType != "streams"}
	for _, raw := range answer.Data.Result {
		if err := decode(raw, &result); err != nil {
			return Result{}, fmt.Errorf("%w: its answer cannot be read: %w", ErrUnavailable, err)
		}
	}
	// Loki sorts the lines of each stream only.
	slices.SortStableFunc(result.Lines, func(a, b Line) int {
		if q.Forward {
			return a.Time.Compare(b.Time)
		}
		return b.Time.Compare(a.Time)
	})
	return result, nil
}

func decode(raw json.RawMessage, result *Result) error {
	if !result.Metric {
		return decodeStream(raw, result)
	}
	var s struct {
		Metric map[string]string `json:"metric"`
		Values []point           `json:"values"`
		Value  *point            `json:"value"`
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	if s.Value != nil {
		s.Values = append(s.Values, *s.Value)
	}
	series := Series{Labels: s.Metric}
	for _, p := range s.Values {
		series.Points = append(series.Points, Point(p))
	}
	result.Series = append(result.Series, series)
	return nil
}

func decodeStream(raw json.RawMessage, result *Result) error {
	var s struct {
		Stream map[string]string `json:"stream"`
		Values []entry           `json:"values"`
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	for _, e := range s.Values {
		result.Lines = append(result.Lines, Line{
			Time: e.time, Text: e.text, Labels: s.Stream, Metadata: e.Metadata, Parsed: e.Parsed,
		})
	}
	return nil
}

// entry is ["<nanoseconds>", "<line>", {"structuredMetadata": {}, "parsed": {}}], the last of which may be missing.
type entry struct {
	time     time.Time
	text     string
	Metadata map[string]string `json:"structuredMetadata"`
	Parsed   map[string]string `json:"parsed"`
}

func (e *entry) UnmarshalJSON(data []byte) error {
	var parts []json.RawMessage
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	if len(parts) < 2 {
		return fmt.Errorf("an entry has %d parts, not a time and a line", len(parts))
	}
	var at string
	if err := json.Unmarshal(parts[0], &at); err != nil {
		return err
	}
	nanoseconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return err
	}
	e.time = time.Unix(0, nanoseconds).UTC()
	if err := json.Unmarshal(parts[1], &e.text); err != nil {
		return err
	}
	if len(parts) < 3 {
		return nil
	}
	type categories entry
	return json.Unmarshal(parts[2], (*categories)(e))
}

// point is [<seconds>, "<value>"], or of patterns [<seconds>, <value>].
type point Point

func (p *point) UnmarshalJSON(data []byte) error {
	var parts [2]json.RawMessage
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	var seconds float64
	if err := json.Unmarshal(parts[0], &seconds); err != nil {
		return err
	}
	p.Time = time.UnixMilli(int64(seconds * 1000)).UTC()
	var quoted string
	if json.Unmarshal(parts[1], &quoted) != nil {
		return json.Unmarshal(parts[1], &p.Value)
	}
	value, err := strconv.ParseFloat(quoted, 64)
	p.Value = value
	return err
}

// Labels implements Reader.
func (c *Loki) Labels(ctx context.Context, s Selection) ([]string, error) {
	return c.names(ctx, "/loki/api/v1/labels", s)
}

// LabelValues implements Reader.
func (c *Loki) LabelValues(ctx context.Context, name string, s Selection) ([]string, error) {
	return c.names(ctx, "/loki/api/v1/label/"+url.PathEscape(name)+"/values", s)
}

func (c *Loki) names(ctx context.Context, path string, s Selection) ([]string, error) {
	query := url.Values{}
	if s.Selector != "" {
		query.Set("query", s.Selector)
	}
	span(query, s.Start, s.End)
	var answer struct {
		Data []string `json:"data"`
	}
	if err := c.get(ctx, path, query, &answer); err != nil {
		return nil, err
	}
	slices.Sort(answer.Data)
	return answer.Data, nil
}

// Patterns implements Reader.
func (c *Loki) Patterns(ctx context.Context, s Selection) ([]Pattern, error) {
	query := url.Values{"query": {s.Selector}}
	span(query, s.Start, s.End)
	var answer struct {
		Data []struct {
			Pattern string  `json:"pattern"`
			Level   string  `json:"level"`
			Samples []point `json:"samples"`
		} `json:"data"`
	}
	if err := c.get(ctx, "/loki/api/v1/patterns", query, &answer); err != nil {
		return nil, err
	}
	patterns := make([]Pattern, len(answer.Data))
	for i, d := range answer.Data {
		patterns[i] = Pattern{Text: d.Pattern, Level: d.Level}
		for _, p := range d.Samples {
			patterns[i].Points = append(patterns[i].Points, Point(p))
			patterns[i].Total += int64(p.Value)
		}
	}
	slices.SortStableFunc(patterns, func(a, b Pattern) int { return cmp.Compare(b.Total, a.Total) })
	return patterns, nil
}

// Volume implements Reader.
func (c *Loki) Volume(ctx context.Context, q VolumeQuery) ([]Volume, error) {
	query := url.Values{"query": {q.Selector}, "limit": {strconv.Itoa(q.Limit)}}
	if len(q.By) > 0 {
		query.Set("targetLabels", strings.Join(q.By, ","))
	}
	span(query, q.Start, q.End)
	var answer queryAnswer
	if err := c.get(ctx, "/loki/api/v1/index/volume", query, &answer); err != nil {
		return nil, err
	}
	result := Result{Metric: true}
	for _, raw := range answer.Data.Result {
		if err := decode(raw, &result); err != nil {
			return nil, fmt.Errorf("%w: its answer cannot be read: %w", ErrUnavailable, err)
		}
	}
	volumes := make([]Volume, len(result.Series))
	for i, s := range result.Series {
		volumes[i] = Volume{Labels: s.Labels}
		for _, p := range s.Points {
			volumes[i].Bytes += int64(p.Value)
		}
	}
	slices.SortStableFunc(volumes, func(a, b Volume) int { return cmp.Compare(b.Bytes, a.Bytes) })
	return volumes, nil
}
