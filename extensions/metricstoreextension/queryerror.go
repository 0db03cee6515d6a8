package metricstoreextension

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/quantivista/monitoring/internal/metricstore"
)

// queryError maps the engine's errors to the port's.
func queryError(expr string, err error) error {
	var (
		timeout  promql.ErrQueryTimeout
		canceled promql.ErrQueryCanceled
		samples  promql.ErrTooManySamples
		stored   promql.ErrStorage
		syntax   parser.ParseErrors
	)
	switch {
	case errors.As(err, &syntax) && len(syntax) > 0:
		return syntaxError(expr, syntax[0])
	case errors.Is(err, metricstore.ErrUnavailable):
		return err
	case errors.As(err, &timeout), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", metricstore.ErrTimeout, err)
	case errors.As(err, &canceled), errors.Is(err, context.Canceled):
		return fmt.Errorf("%w: %w", metricstore.ErrCanceled, err)
	case errors.As(err, &samples):
		return fmt.Errorf("%w: %w", metricstore.ErrTooManySamples, err)
	case errors.As(err, &stored):
		return fmt.Errorf("%w: %w", metricstore.ErrUnavailable, err)
	default:
		return fmt.Errorf("%w: %w", metricstore.ErrExecution, err)
	}
}

// syntaxError locates a parser's error in the expression.
func syntaxError(expr string, e parser.ParseErr) error {
	start := min(max(int(e.PositionRange.Start), 0), len(expr))
	end := min(max(int(e.PositionRange.End), start), len(expr))
	line, column := 1, 1
	for _, r := range expr[:start] {
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
	}
	return &metricstore.SyntaxError{Message: e.Err.Error(), Start: start, End: end, Line: line, Column: column}
}
