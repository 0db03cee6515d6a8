package custommetricsreceiver

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/problem"
)

// maxAhead is how far in the future a metric may lie, as in Prometheus' own write endpoints.
const maxAhead = 10 * time.Minute

// point is a metric that passed.
type point struct {
	name      string
	labels    labels.Labels // sorted, none empty, without the name
	value     float64
	timestamp time.Time
}

// checker collects the faults of one request.
type checker struct {
	now    time.Time
	faults []problem.FieldError
	seen   map[string]int // series and time, to the index of the metric that gave it
}

// check gives the points of a request, or all its faults.
func check(metrics []api.CustomMetric, now time.Time) ([]point, []problem.FieldError) {
	c := &checker{now: now, seen: make(map[string]int, len(metrics))}
	points := make([]point, len(metrics))
	for i, m := range metrics {
		points[i] = c.metric(fmt.Sprintf("metrics[%d]", i), m)
	}
	for i, p := range points {
		c.unique(i, p, points)
	}
	if len(c.faults) > 0 {
		return nil, c.faults
	}
	return points, nil
}

func (c *checker) fault(field, format string, args ...any) {
	c.faults = append(c.faults, problem.FieldError{Field: field, Detail: fmt.Sprintf(format, args...)})
}

func (c *checker) metric(field string, m api.CustomMetric) point {
	if !model.LegacyValidation.IsValidMetricName(m.Name) {
		c.fault(field+".name", "must match [a-zA-Z_:][a-zA-Z0-9_:]*, is %s", short(m.Name))
	}
	if math.IsNaN(m.Value) || math.IsInf(m.Value, 0) {
		c.fault(field+".value", "must be finite")
	}
	p := point{name: m.Name, value: m.Value}
	if m.Labels != nil {
		p.labels = c.labels(field+".labels", *m.Labels)
	}
	p.timestamp = c.timestamp(field+".timestamp", m.Timestamp)
	return p
}

// labels leaves out empty ones, which are no labels in Prometheus.
func (c *checker) labels(field string, given map[string]string) labels.Labels {
	kept := make(map[string]string, len(given))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		switch value := given[name]; {
		case strings.HasPrefix(name, model.ReservedLabelPrefix):
			c.fault(field+"."+name, "must not begin with __, which Prometheus keeps for itself")
		case !model.LegacyValidation.IsValidLabelName(name):
			c.fault(field+"."+name, "must match [a-zA-Z_][a-zA-Z0-9_]*")
		case value != "":
			kept[name] = value
		}
	}
	return labels.FromMap(kept)
}

func (c *checker) timestamp(field string, given *time.Time) time.Time {
	switch {
	case given == nil:
		return c.now
	case given.After(c.now.Add(maxAhead)):
		c.fault(field, "must not be more than %s in the future, is %s", maxAhead, given.Format(time.RFC3339))
	case given.Unix() < 0:
		c.fault(field, "must not be before 1970, is %s", given.Format(time.RFC3339))
	}
	return *given
}

// unique refuses two values of one series at one time, of which the store would keep either.
func (c *checker) unique(i int, p point, points []point) {
	key := strconv.FormatInt(p.timestamp.UnixMilli(), 10) + " " + p.name + " " + string(p.labels.Bytes(nil))
	first, again := c.seen[key]
	if !again {
		c.seen[key] = i
	} else if points[first].value != p.value {
		c.fault(fmt.Sprintf("metrics[%d]", i), "has the name, labels and timestamp of metrics[%d], but another value", first)
	}
}

// short quotes a text that may be very long.
func short(s string) string {
	const most = 100
	if len(s) <= most {
		return strconv.Quote(s)
	}
	return strconv.Quote(strings.ToValidUTF8(s[:most], "")) + "…"
}
