// Package evidence keeps with an incident what explains it: the metric that fired, the traces and the log lines of its
// services and its time. It is fetched from where these are, soon after the incident opens, a while later and at its end,
// and then stands, however long the others keep theirs. It knows no collector component, no SQL and no HTTP.
package evidence

import (
	"encoding/json"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
)

// Evidence is what is kept with one incident, the most telling first.
type Evidence struct {
	Metrics []Metric
	Traces  []Trace
	Logs    []LogPattern
}

// Counts says how much there is.
type Counts struct{ Metrics, Traces, LogPatterns int }

// Counts of the evidence.
func (e *Evidence) Counts() Counts { return Counts{len(e.Metrics), len(e.Traces), len(e.Logs)} }

// Total counts all.
func (c Counts) Total() int { return c.Metrics + c.Traces + c.LogPatterns }

// Metric is what the rule of an alert saw.
type Metric struct {
	AlertID   string         `json:"alertId"`
	AlertName string         `json:"alertName"`
	Service   string         `json:"service,omitempty"`
	Severity  alert.Severity `json:"severity"`
	StartsAt  time.Time      `json:"startsAt"`
	// Expression is the rule's PromQL.
	Expression string `json:"expression"`
	// Query is the part of it that Series are of: without the comparison at its end, so that they show the time before.
	Query     string     `json:"query,omitempty"`
	Threshold *Threshold `json:"threshold,omitempty"`
	// Start, End and Step of Series.
	Start time.Time     `json:"start,omitzero"`
	End   time.Time     `json:"end,omitzero"`
	Step  time.Duration `json:"step,omitempty"`
	// Series has that of the alert first, and others of the query behind it.
	Series []Series `json:"series,omitempty"`
	// Note is why there are no series.
	Note string `json:"note,omitempty"`
}

// Threshold is what a rule compares with.
type Threshold struct {
	// Op is one of ==, !=, <, >, <=, >=, with the query before it and the value behind it.
	Op    string  `json:"op"`
	Value float64 `json:"value"`
}

// Series is one result of a query over time.
type Series struct {
	Labels map[string]string `json:"labels"`
	Points []Point           `json:"points"`
}

// Point is a value in time, as Prometheus writes it, since JSON has no NaN.
type Point struct {
	At    time.Time `json:"t"`
	Value string    `json:"v"`
}

// Reason is why a trace is kept.
type Reason string

// A trace that is several of them is the first.
const (
	// FromExemplar is a trace that the series which fired names.
	FromExemplar Reason = "exemplar"
	// Failed is one in which a span failed.
	Failed Reason = "error"
	// Slow is one of those that took longest.
	Slow Reason = "slow"
)

// Trace is a trace, and as many of its spans as there is room for.
type Trace struct {
	TraceID string `json:"traceId"`
	Reason  Reason `json:"reason"`
	// Service is the affected one that the trace was found by; empty for one of an exemplar.
	Service string `json:"service,omitempty"`
	// Exemplar is set where Reason is FromExemplar.
	Exemplar *Exemplar `json:"exemplar,omitempty"`
	// All below is empty where only an exemplar is known of the trace.
	RootService   string        `json:"rootService,omitempty"`
	RootOperation string        `json:"rootOperation,omitempty"`
	StartedAt     time.Time     `json:"startedAt,omitzero"`
	Duration      time.Duration `json:"duration,omitempty"`
	// Spans and Errors count all spans of the trace and those that failed; Kept those in OTLP.
	Spans  int `json:"spans,omitempty"`
	Errors int `json:"errors,omitempty"`
	Kept   int `json:"kept,omitempty"`
	// Failures are some spans that failed, the deepest first.
	Failures []Failure `json:"failures,omitempty"`
	// OTLP holds spans as OTLP's JSON has them.
	OTLP json.RawMessage `json:"otlp,omitempty"`
}

// Exemplar is how a series names a trace.
type Exemplar struct {
	// Series is the name of the metric.
	Series string    `json:"series"`
	Value  float64   `json:"value"`
	At     time.Time `json:"at"`
}

// Failure is a span that failed.
type Failure struct {
	Service   string `json:"service"`
	Operation string `json:"operation"`
	// Message is that of the span's status, or else of its exception.
	Message string `json:"message,omitempty"`
}

// LogPattern stands for log lines that differ in numbers and the like only.
type LogPattern struct {
	Service  string `json:"service"`
	Pattern  string `json:"pattern"`
	Severity string `json:"severity,omitempty"`
	// Count is of the lines that were looked at; AtLeast says that there were more.
	Count     int       `json:"count"`
	AtLeast   bool      `json:"atLeast,omitempty"`
	FirstSeen time.Time `json:"firstSeen"`
	LastSeen  time.Time `json:"lastSeen"`
	// Example is one of the lines, with its labels and its trace, where it has one.
	Example string            `json:"example"`
	Labels  map[string]string `json:"labels,omitempty"`
	TraceID string            `json:"traceId,omitempty"`
}
