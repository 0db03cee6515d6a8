package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/stretchr/testify/require"
)

// series is one element of an answer to a query.
type series struct {
	Metric map[string]string `json:"metric"`
	Value  point             `json:"value"`
	Values []point           `json:"values"`
}

// point is a pair of Unix seconds and a number in quotes.
type point struct {
	at    time.Time
	value float64
}

// UnmarshalJSON reads [1750431603.781, "1"].
func (p *point) UnmarshalJSON(data []byte) error {
	var (
		seconds float64
		text    string
	)
	if err := json.Unmarshal(data, &[]any{&seconds, &text}); err != nil {
		return err
	}
	value, err := strconv.ParseFloat(text, 64)
	p.at, p.value = time.UnixMilli(int64(seconds*1000+0.5)), value
	return err
}

// queryAnswer is a MetricsQueryResult.
type queryAnswer struct {
	Status string `json:"status"`
	Data   struct {
		ResultType string   `json:"resultType"`
		Result     []series `json:"result"`
	} `json:"data"`
}

// tryQuery asks the REST API for an instant query.
func (c *collector) tryQuery(expr string) ([]series, error) {
	target := at(c.api, "/api/v1/metrics?"+url.Values{"query": {expr}}.Encode())
	status, body, err := tryRequest(http.MethodGet, target, "", nil)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("%s: %d: %s", expr, status, body)
	}
	var answer queryAnswer
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", expr, err, body)
	}
	return answer.Data.Result, nil
}

// query wants an answer.
func (c *collector) query(expr string) []series {
	c.t.Helper()
	result, err := c.tryQuery(expr)
	require.NoError(c.t, err)
	return result
}

// number wants a query that answers one number, and gives 0 where there is no series.
func (c *collector) number(expr string) float64 {
	c.t.Helper()
	result := c.query(expr)
	if len(result) == 0 {
		return 0
	}
	require.Len(c.t, result, 1, expr)
	return result[0].Value.value
}

// awaitSeries waits until a query finds something.
func (c *collector) awaitSeries(expr string) []series {
	c.t.Helper()
	var found []series
	await(c.t, expr, func() (err error) {
		if found, err = c.tryQuery(expr); err == nil && len(found) == 0 {
			err = errors.New("no series")
		}
		return err
	})
	return found
}

// fromNow is a time from now, in Unix seconds.
func fromNow(d time.Duration) string {
	return strconv.FormatInt(time.Now().Add(d).Unix(), 10)
}
