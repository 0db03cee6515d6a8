package monitoringapiextension

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/common/model"

	"github.com/quantivista/monitoring/api"
	"github.com/quantivista/monitoring/internal/metricstore"
	"github.com/quantivista/monitoring/internal/problem"
)

const (
	// maxPoints a series, as in Prometheus: 60s resolution for a week, or 1h for a year.
	maxPoints = 11_000
	// defaultPoints is how many a range query without a step gets, as promtool chooses it.
	defaultPoints = 250
	minStep       = time.Millisecond
)

// The times that RFC 3339 can write, which Unix times are held to as well; PromQL counts milliseconds.
var (
	minTime = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	maxTime = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
)

// QueryMetrics evaluates PromQL.
func (s *restServer) QueryMetrics(ctx context.Context, request api.QueryMetricsRequestObject) (api.QueryMetricsResponseObject, error) {
	evaluation, faults := parseEvaluation(request.Params, s.now)
	if len(faults) > 0 {
		return nil, problem.Fields(http.StatusBadRequest, faults...)
	}
	var (
		result metricstore.Result
		err    error
	)
	if evaluation.instant {
		result, err = s.store.Query(ctx, request.Params.Query, evaluation.at)
	} else {
		result, err = s.store.QueryRange(ctx, request.Params.Query, evaluation.over)
	}
	if err != nil {
		return nil, err
	}
	return queryResult(result), nil
}

// evaluation is when to evaluate: at one time, or over a range.
type evaluation struct {
	instant bool
	at      time.Time
	over    metricstore.Range
}

// parameters collects the faults of all parameters before any is answered.
type parameters struct{ faults []problem.FieldError }

func (p *parameters) fault(field, detail string) {
	p.faults = append(p.faults, problem.FieldError{Field: field, Detail: detail})
}

func parseEvaluation(q api.QueryMetricsParams, now func() time.Time) (evaluation, []problem.FieldError) {
	var p parameters
	if q.Start == nil && q.End == nil {
		if q.Step != nil {
			p.fault("step", `belongs to a range query: give "start" and "end", too`)
		}
		at := now()
		if q.Time != nil {
			at = p.time("time", *q.Time)
		}
		return evaluation{instant: true, at: at}, p.faults
	}
	if q.Time != nil {
		p.fault("time", `belongs to an instant query: leave it out, or "start" and "end"`)
	}
	if q.Start == nil {
		p.fault("start", `must be given with "end"`)
	}
	if q.End == nil {
		p.fault("end", `must be given with "start"`)
	}
	if len(p.faults) > 0 {
		return evaluation{}, p.faults
	}
	return evaluation{over: p.span(*q.Start, *q.End, q.Step)}, p.faults
}

// span reads a range that Prometheus would evaluate, too.
func (p *parameters) span(from, to string, step *string) metricstore.Range {
	r := metricstore.Range{Start: p.time("start", from), End: p.time("end", to)}
	// A time.Duration holds 292 years only.
	milliseconds := r.End.UnixMilli() - r.Start.UnixMilli()
	if len(p.faults) == 0 && milliseconds < 0 {
		p.fault("end", `must not be before "start"`)
	}
	if step != nil {
		r.Step = p.step(*step)
	} else {
		r.Step = max(time.Duration(milliseconds/defaultPoints)*time.Millisecond, time.Second).Truncate(time.Second)
	}
	if len(p.faults) == 0 && milliseconds/r.Step.Milliseconds() > maxPoints {
		p.fault("step", "gives more than 11,000 points a series: take a longer step or a shorter range")
	}
	return r
}

func (p *parameters) time(field, value string) time.Time {
	t, err := parseTime(value)
	if err != nil {
		p.fault(field, err.Error())
	}
	return t
}

func (p *parameters) step(value string) time.Duration {
	step, err := parseStep(value)
	if err != nil {
		p.fault("step", err.Error())
	}
	return step
}

// parseTime reads RFC 3339 or Unix seconds, to the millisecond.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err == nil {
		return t, nil
	}
	seconds, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(seconds) {
		return time.Time{}, errors.New("must be an RFC 3339 time such as 2025-06-20T15:08:23Z, or Unix seconds")
	}
	if seconds < float64(minTime.Unix()) || seconds > float64(maxTime.Unix()) {
		return time.Time{}, errors.New("must be Unix seconds between the years 0 and 9999")
	}
	return time.UnixMilli(int64(math.Round(seconds * 1000))).UTC(), nil
}

// parseStep reads a Prometheus duration or seconds.
func parseStep(s string) (time.Duration, error) {
	var step time.Duration
	if d, err := model.ParseDuration(s); err == nil {
		step = time.Duration(d)
	} else if seconds, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(seconds) < math.MaxInt64/float64(time.Second) {
		step = time.Duration(seconds * float64(time.Second))
	} else {
		return 0, errors.New("must be a duration such as 15s or 1m30s, or seconds")
	}
	if step < minStep {
		return 0, errors.New("must be at least 1ms")
	}
	return step, nil
}
