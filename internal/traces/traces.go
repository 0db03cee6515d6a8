// Package traces is the port to the store of traces, and its adapter for Jaeger's query API. Jaeger's API is asked by
// gRPC (jaeger.api_v3.QueryService): its HTTP gateway does not search by attributes before Jaeger 2.
package traces

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

var (
	// ErrNotFound answers for a trace that the store does not have.
	ErrNotFound = errors.New("there is no such trace")
	// ErrTooLarge answers a query whose traces would not fit into memory.
	ErrTooLarge = errors.New("the traces are too large")
	// ErrRefused answers a query that the store takes for invalid.
	ErrRefused = errors.New("the query was refused")
	// ErrUnavailable answers every call while the store cannot be reached, or fails.
	ErrUnavailable = errors.New("the store of traces is not available")
	// ErrTimeout answers a call that took longer than the store may take.
	ErrTimeout = errors.New("the store of traces is too slow")
)

// Reader finds traces. Its methods are safe for concurrent use, answer within the time-out that the reader was made
// with, and wrap the errors above; what they return belongs to the caller.
type Reader interface {
	// Services gives the names of all services, sorted.
	Services(ctx context.Context) ([]string, error)
	// Operations gives those of a service, sorted; none of one that is not known.
	Operations(ctx context.Context, service string) ([]Operation, error)
	// Find gives whole traces, the newest first, each with all its spans.
	Find(ctx context.Context, q *Query) ([]ptrace.Traces, error)
	// Get gives one trace, or ErrNotFound.
	Get(ctx context.Context, id pcommon.TraceID) (ptrace.Traces, error)
}

// Operation is a span's name and kind.
type Operation struct {
	Name string
	// Kind is server, client, producer, consumer, internal, or empty where the store does not know.
	Kind string
}

// Query is for the traces that have a span for which all of it holds.
type Query struct {
	// Service must be given.
	Service string
	// Operation is the span's name; empty for any.
	Operation string
	// Attributes of the span or of its resource.
	Attributes map[string]string
	// Start and End bound the span's start; Start is included, End is not.
	Start, End time.Time
	// MinDuration and MaxDuration bound the span's duration; 0 for no bound.
	MinDuration, MaxDuration time.Duration
	// Limit is how many traces are given at most; it must be positive.
	Limit int
}

// Failed are the attributes of spans that failed.
func Failed() map[string]string { return map[string]string{"error": "true"} }
