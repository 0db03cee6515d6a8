package metricstoreextension

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/quantivista/monitoring/extensions/metricstoreextension/internal/promclient"
	"github.com/quantivista/monitoring/internal/metricstore"
)

// statusClientClosedRequest is what Prometheus answers a query with that was canceled.
const statusClientClosedRequest = 499

// remoteError maps an error of a query at a remote API to the port's.
func remoteError(expr string, err error) error {
	var answered *promclient.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", metricstore.ErrTimeout, err)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%w: %w", metricstore.ErrCanceled, err)
	case errors.Is(err, promclient.ErrTooLarge):
		return fmt.Errorf("%w: %w", metricstore.ErrTooManySamples, err)
	case !errors.As(err, &answered):
		return fmt.Errorf("%w: %w", metricstore.ErrUnavailable, err)
	}
	switch answered.StatusCode {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return refusedQuery(expr, answered)
	case http.StatusServiceUnavailable:
		if answered.Type == "timeout" {
			return fmt.Errorf("%w: %w", metricstore.ErrTimeout, err)
		}
	case statusClientClosedRequest:
		return fmt.Errorf("%w: %w", metricstore.ErrCanceled, err)
	}
	return fmt.Errorf("%w: %w", metricstore.ErrUnavailable, err)
}

// tooMany are Prometheus' and Thanos', Mimir's and VictoriaMetrics' ways to say that a query loads too much.
var tooMany = regexp.MustCompile(`too many samples|exceeded the maximum number of|err-mimir-max-|cannot process more than|-search\.max`)

// timedOut is what Prometheus answers, with the status of a query at fault, where the time-out came in its queue.
var timedOut = regexp.MustCompile(`context deadline exceeded|query timed out`)

// refusedQuery is for a query that the API understood to be at fault.
func refusedQuery(expr string, answered *promclient.Error) error {
	if timedOut.MatchString(answered.Message) {
		return fmt.Errorf("%w: %w", metricstore.ErrTimeout, answered)
	}
	if tooMany.MatchString(answered.Message) {
		return fmt.Errorf("%w: %w", metricstore.ErrTooManySamples, answered)
	}
	if syntax := remoteSyntaxError(expr, answered.Message); syntax != nil {
		return syntax
	}
	return fmt.Errorf("%w: %w", metricstore.ErrExecution, answered)
}

// parseError is Prometheus' message: its position is missing where several errors are told.
var parseError = regexp.MustCompile(`(?s)(?:(\d+):(\d+): )?parse error: (.*)$`)

// remoteSyntaxError tells a parser's error from others, by its text or because Prometheus' parser refuses the
// expression as well. The latter knows its range.
func remoteSyntaxError(expr, message string) error {
	var here parser.ParseErrors
	if _, err := parser.ParseExpr(expr); errors.As(err, &here) && len(here) > 0 {
		return syntaxError(expr, here[0])
	}
	found := parseError.FindStringSubmatch(message)
	if found == nil {
		return nil
	}
	unknown := &metricstore.SyntaxError{Message: found[3], Start: -1, End: -1}
	line, errLine := strconv.Atoi(found[1])
	column, errColumn := strconv.Atoi(found[2])
	if errLine != nil || errColumn != nil {
		return unknown
	}
	start, ok := offsetOf(expr, line, column)
	if !ok {
		return unknown
	}
	return &metricstore.SyntaxError{Message: found[3], Start: start, End: start, Line: line, Column: column}
}

// offsetOf gives the byte of a line and a column, both from 1.
func offsetOf(expr string, line, column int) (int, bool) {
	start := 0
	for ; line > 1; line-- {
		newline := strings.IndexByte(expr[start:], '\n')
		if newline < 0 {
			return 0, false
		}
		start += newline + 1
	}
	if column < 1 || line < 1 || start+column-1 > len(expr) {
		return 0, false
	}
	return start + column - 1, true
}
