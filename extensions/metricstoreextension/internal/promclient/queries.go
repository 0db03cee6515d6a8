package promclient

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// queryForm asks the API to keep the limits, too.
func (c *Client) queryForm(expr string, lookback time.Duration) url.Values {
	return url.Values{
		"query":          {expr},
		"timeout":        {seconds(c.timeout)},
		"lookback_delta": {seconds(lookback)},
	}
}

// Query at one time. The value is a promql.Vector, Matrix, Scalar or String, and the caller's. Errors of all
// methods are *Error, ErrTooLarge, the transport's, or tell that the answer is not one of Prometheus.
func (c *Client) Query(ctx context.Context, expr string, at time.Time, lookback time.Duration) (parser.Value, Notes, error) {
	form := c.queryForm(expr, lookback)
	form.Set("time", unix(at))
	return c.query(ctx, "/query", form)
}

// QueryRange at every step from start to end, both included.
func (c *Client) QueryRange(ctx context.Context, expr string, start, end time.Time, step, lookback time.Duration) (parser.Value, Notes, error) {
	form := c.queryForm(expr, lookback)
	form.Set("start", unix(start))
	form.Set("end", unix(end))
	form.Set("step", seconds(step))
	return c.query(ctx, "/query_range", form)
}

func (c *Client) query(ctx context.Context, path string, form url.Values) (parser.Value, Notes, error) {
	var data queryData
	notes, err := c.post(ctx, path, form, &data)
	if err != nil {
		return nil, Notes{}, err
	}
	value, err := data.value()
	return value, notes, err
}

// Selection of series for the label endpoints.
type Selection struct {
	Selectors  []string
	Start, End time.Time
	// Limit is the most names that are wanted; 0 is no limit.
	Limit int
}

func (s Selection) form() url.Values {
	form := url.Values{"start": {unix(s.Start)}, "end": {unix(s.End)}}
	for _, selector := range s.Selectors {
		form.Add("match[]", selector)
	}
	if s.Limit > 0 {
		form.Set("limit", strconv.Itoa(s.Limit))
	}
	return form
}

// LabelNames gives those of the selected series, sorted.
func (c *Client) LabelNames(ctx context.Context, s Selection) (names []string, notes Notes, err error) {
	notes, err = c.post(ctx, "/labels", s.form(), &names)
	return names, notes, err
}

// LabelValues gives those of one label of the selected series, sorted.
func (c *Client) LabelValues(ctx context.Context, name string, s Selection) (values []string, notes Notes, err error) {
	if !model.LegacyValidation.IsValidLabelName(name) {
		name = model.EscapeName(name, model.ValueEncodingEscaping)
	}
	notes, err = c.get(ctx, s.form(), &values, "label", name, "values")
	return values, notes, err
}

// Exemplars of all series that the selectors in an expression match, grouped by series. Times are in
// milliseconds.
func (c *Client) Exemplars(ctx context.Context, expr string, start, end time.Time) ([]exemplar.QueryResult, error) {
	var data []struct {
		SeriesLabels labels.Labels `json:"seriesLabels"`
		Exemplars    []struct {
			Labels    labels.Labels     `json:"labels"`
			Value     model.SampleValue `json:"value"`
			Timestamp model.Time        `json:"timestamp"`
		} `json:"exemplars"`
	}
	form := url.Values{"query": {expr}, "start": {unix(start)}, "end": {unix(end)}}
	if _, err := c.post(ctx, "/query_exemplars", form, &data); err != nil {
		return nil, err
	}
	results := make([]exemplar.QueryResult, len(data))
	for i, series := range data {
		results[i].SeriesLabels = series.SeriesLabels
		for _, e := range series.Exemplars {
			results[i].Exemplars = append(results[i].Exemplars, exemplar.Exemplar{
				Labels: e.Labels, Value: float64(e.Value), Ts: int64(e.Timestamp), HasTs: true,
			})
		}
	}
	return results, nil
}

// unix seconds with the milliseconds that Prometheus resolves.
func unix(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64)
}

func seconds(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
}
