package logs

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Reader answers questions about logs. Its errors are ErrUnavailable, ErrTimeout or a *RefusedError, or those of ctx.
type Reader interface {
	// Query evaluates LogQL over a range: lines of a log query, series of a metric query.
	Query(ctx context.Context, q Query) (Result, error)
	// Labels gives the names of the labels of streams, sorted.
	Labels(ctx context.Context, s Selection) ([]string, error)
	// LabelValues gives the values of a label, sorted.
	LabelValues(ctx context.Context, name string, s Selection) ([]string, error)
	// Patterns gives the patterns of the lines of a selector, the most frequent first.
	Patterns(ctx context.Context, s Selection) ([]Pattern, error)
	// Volume gives the bytes of the streams of a selector, the largest first.
	Volume(ctx context.Context, q VolumeQuery) ([]Volume, error)
}

// Query is LogQL over a range.
type Query struct {
	LogQL      string
	Start, End time.Time
	// Limit is how many lines at most.
	Limit int
	// Forward gives the oldest lines first, and of too many the oldest.
	Forward bool
	// Step of a metric query; 0 lets the store choose.
	Step time.Duration
}

// Selection is a range, and a stream selector, which may be empty for Labels and LabelValues.
type Selection struct {
	Selector   string
	Start, End time.Time
}

// VolumeQuery asks for volumes by the labels named, or by all of the selector.
type VolumeQuery struct {
	Selection
	By    []string
	Limit int
}

// Result has Lines for a log query, and Series for a metric query.
type Result struct {
	Lines  []Line
	Series []Series
	// Metric tells which of them it is.
	Metric bool
}

// Line of a log, with the labels of its stream, its structured metadata, and what the query parsed from it.
type Line struct {
	Time     time.Time
	Text     string
	Labels   map[string]string
	Metadata map[string]string
	Parsed   map[string]string
}

// TraceID is the trace that the line belongs to, in hex; empty for none.
func (l *Line) TraceID() string { return l.field("trace_id") }

// SpanID is the span that the line belongs to, in hex; empty for none.
func (l *Line) SpanID() string { return l.field("span_id") }

// Severity is that of the label of this name, or what Loki detected; empty for none.
func (l *Line) Severity() string {
	if s := l.field("severity"); s != "" {
		return s
	}
	if s := l.field("detected_level"); s != "unknown" {
		return s
	}
	return ""
}

func (l *Line) field(name string) string {
	for _, from := range []map[string]string{l.Metadata, l.Labels, l.Parsed} {
		if v := from[name]; v != "" {
			return v
		}
	}
	return ""
}

// Series of a metric query.
type Series struct {
	Labels map[string]string
	Points []Point
}

// Point of a series.
type Point struct {
	Time  time.Time
	Value float64
}

// Pattern of lines that differ in variable parts only, which it has as <_>.
type Pattern struct {
	Text string
	// Level of the lines, where the store tells it.
	Level string
	Total int64
	// Points tell when.
	Points []Point
}

// Volume of streams that have these labels in common.
type Volume struct {
	Labels map[string]string
	Bytes  int64
}

var (
	// ErrUnavailable answers where the store cannot be reached, or fails.
	ErrUnavailable = errors.New("Loki does not answer")
	// ErrTimeout answers what takes longer than the configured time-out.
	ErrTimeout = errors.New("Loki does not answer in time")
)

// RefusedError is the store's answer to a request that it finds at fault.
type RefusedError struct {
	// Status is that of HTTP: 400, 404, 422, 429, …
	Status  int
	Message string
}

// Error gives the store's message.
func (e *RefusedError) Error() string { return fmt.Sprintf("Loki refuses the request: %s", e.Message) }
