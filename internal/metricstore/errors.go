package metricstore

import (
	"errors"
	"fmt"
)

var (
	// ErrReadOnly answers a write to a store that only queries.
	ErrReadOnly = errors.New("this metric store is read-only: it queries a remote API; write there with the prometheusremotewrite exporter")
	// ErrUnavailable answers every call to a store that is not open, or whose backend cannot be reached.
	ErrUnavailable = errors.New("the metric store is not available")
	// ErrTimeout answers a query that took longer than the configured query time-out.
	ErrTimeout = errors.New("the query timed out")
	// ErrTooManySamples answers a query that would load more samples than the configured maximum.
	ErrTooManySamples = errors.New("the query would load too many samples")
	// ErrCanceled answers a query whose caller went away.
	ErrCanceled = errors.New("the query was canceled")
	// ErrExecution answers a query that parsed but cannot be evaluated, such as a many-to-many match.
	ErrExecution = errors.New("the query failed")
)

// SyntaxError answers an expression that is not PromQL.
type SyntaxError struct {
	// Message is the parser's, without the position.
	Message string
	// Start and End are byte offsets into the expression, End exclusive. Both are -1 where the parser of a
	// remote store did not tell.
	Start, End int
	// Line and Column of Start, from 1; 0 where unknown.
	Line, Column int
}

// Error gives the message behind the position, as Prometheus writes it.
func (e *SyntaxError) Error() string {
	if e.Line == 0 {
		return "parse error: " + e.Message
	}
	return fmt.Sprintf("%d:%d: parse error: %s", e.Line, e.Column, e.Message)
}
