package report

import (
	"fmt"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/state"
)

// Dimension is what alerts are summed up by.
type Dimension string

// A rule is told by its name and, where it is a stored one, by its ID.
const (
	ByRule    Dimension = "rule"
	ByService Dimension = "service"
)

const (
	// DefaultPeriod is what a report is on that is asked for no start.
	DefaultPeriod = 7 * 24 * time.Hour
	// MaxPeriod bounds what a report costs.
	MaxPeriod = 366 * 24 * time.Hour
	// DefaultLimit is how many groups each list of a report has at most, where it is asked for no limit.
	DefaultLimit = 10
	// MaxLimit bounds it.
	MaxLimit = 1000
)

// Selection selects alerts. Zero fields select all.
type Selection struct {
	// Start and End bound the period: an alert is in it that fired at some time from Start on and before End.
	Start, End time.Time
	// Service is the one that alerts are of, as alerts and the health of services have it.
	Service  string
	Severity alert.Severity
	Matchers []alert.Matcher
}

// Query asks for a report.
type Query struct {
	Selection
	// By is ByRule where it is empty.
	By Dimension
	// Limit is DefaultLimit where it is 0.
	Limit int
}

// Complete fills in what is absent: the period ends now and is DefaultPeriod long. It answers a *state.FieldError for
// what cannot be asked for.
func (q *Query) Complete(now time.Time) error {
	if q.End.IsZero() {
		q.End = now
	}
	if q.Start.IsZero() {
		q.Start = q.End.Add(-DefaultPeriod)
	}
	if q.By == "" {
		q.By = ByRule
	}
	if q.Limit == 0 {
		q.Limit = DefaultLimit
	}
	switch {
	case q.Start.Before(time.Unix(0, 0)):
		return &state.FieldError{Field: "start", Message: "must be 1970-01-01T00:00:00Z or later"}
	case !q.End.After(q.Start):
		return &state.FieldError{Field: "end", Message: fmt.Sprintf("must be after start, %s", q.Start.Format(time.RFC3339))}
	case q.End.Sub(q.Start) > MaxPeriod:
		return &state.FieldError{Field: "start", Message: fmt.Sprintf("must be at most %d days before end, %s", int(MaxPeriod.Hours())/24, q.End.Format(time.RFC3339))}
	case q.By != ByRule && q.By != ByService:
		return &state.FieldError{Field: "groupBy", Message: fmt.Sprintf("must be %s or %s, is %q", ByRule, ByService, q.By)}
	case q.Limit < 0 || q.Limit > MaxLimit:
		return &state.FieldError{Field: "limit", Message: fmt.Sprintf("must be between 1 and %d, is %d", MaxLimit, q.Limit)}
	default:
		return nil
	}
}

// before gives the same selection in the period before this one, which is as long.
func (s *Selection) before() Selection {
	previous := *s
	previous.Start, previous.End = s.Start.Add(-s.End.Sub(s.Start)), s.Start
	return previous
}
