package evidence

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/quantivista/monitoring/internal/incident"
)

// Reader gives what is kept.
type Reader interface {
	// Evidence gives what is kept with an incident, and how its collection stands: the zero Collection where none has
	// begun. It answers state.ErrNotFound for an unknown incident.
	Evidence(ctx context.Context, incidentID string) (Evidence, Collection, error)
	// EvidenceCounts says how much each incident has, of those that have some.
	EvidenceCounts(ctx context.Context, incidentIDs []string) (map[string]Counts, error)
}

// Due says which incidents are due.
type Due struct {
	Now time.Time
	// CreatedFrom and CreatedTo bound the creation of incidents whose collection has not begun.
	CreatedFrom, CreatedTo time.Time
	// EndedBefore is before when an incident must have been over to be looked at for the last time.
	EndedBefore time.Time
	Limit       int
}

// Store keeps evidence. Two processes never work on one incident at a time, as long as their clocks differ by less than
// a lease.
type Store interface {
	Reader
	// DueEvidence gives incidents that are due and that nobody works on, the worst first.
	DueEvidence(ctx context.Context, due Due) (incidentIDs []string, err error)
	// ClaimEvidence takes an incident for a worker until then, without its alerts. It answers state.ErrConflict where
	// another worker has it, state.ErrNotFound where there is no such incident.
	ClaimEvidence(ctx context.Context, incidentID, worker string, now, until time.Time) (*Case, error)
	// SaveEvidence stores evidence and collection in place of what there is, with an event for the timeline, which may be
	// nil, and gives the incident back. dueAt is when it is due again; zero for when the incident ends or is reopened.
	// It answers state.ErrConflict, and stores nothing, where the worker does not have the incident any more.
	SaveEvidence(ctx context.Context, worker string, c *Collection, e *Evidence, dueAt time.Time, told *incident.TimelineEvent) error
}

// ErrNoTrace answers for a trace that the store of traces does not have, yet or any more.
var ErrNoTrace = errors.New("there is no such trace")

// TraceSource finds traces.
type TraceSource interface {
	// Trace gives one, by 32 hexadecimal digits, or ErrNoTrace.
	Trace(ctx context.Context, id string) (ptrace.Traces, error)
	// Worst gives traces with a span of the service in a time that failed, and of others the slowest: so many of both
	// at most.
	Worst(ctx context.Context, service string, w Window, limit int) (failed, slow []ptrace.Traces, err error)
}

// LogLine is one log record.
type LogLine struct {
	At       time.Time
	Text     string
	Severity string
	// TraceID is empty for none.
	TraceID string
	Labels  map[string]string
}

// LogSource finds log lines.
type LogSource interface {
	// ErrorLines gives lines of a service in a time that tell of errors, the newest first, at most limit.
	ErrorLines(ctx context.Context, service string, w Window, limit int) ([]LogLine, error)
}

// Window is a time, with both ends.
type Window struct{ Start, End time.Time }
