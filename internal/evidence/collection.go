package evidence

import (
	"time"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/incident"
)

// Stage is how far the collection of an incident's evidence is.
type Stage string

// In their order. An incident that is reopened begins again.
const (
	// Opening waits for what follows soon after the incident opens.
	Opening Stage = "opening"
	// Developing waits for a second look.
	Developing Stage = "developing"
	// Watching waits for the incident's end.
	Watching Stage = "watching"
	// Ended has looked a last time.
	Ended Stage = "ended"
)

// Source is where evidence is from.
type Source string

// The sources.
const (
	Metrics Source = "metrics"
	Traces  Source = "traces"
	Logs    Source = "logs"
)

// SourceState is how the last attempt with a source went.
type SourceState struct {
	At time.Time `json:"at"`
	// Reason is why the source gave nothing; empty where it answered.
	Reason string `json:"reason,omitempty"`
	// AwaySince is when it first did not answer, Attempts how often since, and RetryAt when it is asked again by itself: zero for never.
	AwaySince time.Time `json:"awaySince,omitzero"`
	Attempts  int       `json:"attempts,omitempty"`
	RetryAt   time.Time `json:"retryAt,omitzero"`
}

// Away says that the source did not answer.
func (s *SourceState) Away() bool { return s.Reason != "" }

// Collection is the state of an incident's collection.
type Collection struct {
	IncidentID string
	Stage      Stage
	// StageAt is when the look is due that Opening and Developing wait for; zero else.
	StageAt time.Time
	// Sources has those that were asked.
	Sources map[Source]SourceState
	// Start and End bound what was looked at; zero before the first look.
	Start, End time.Time
	// CollectedAt is when it was last added to; zero before.
	CollectedAt time.Time
	// Told says that the timeline has been told.
	Told bool
}

// Case is an incident whose evidence is due, with what there is.
type Case struct {
	Incident   incident.Incident
	Alerts     []alert.Record
	Collection Collection
	Evidence   Evidence
}

// endedAt is when the incident was over; zero while it is not.
func endedAt(in *incident.Incident) time.Time {
	switch in.Status {
	case incident.Resolved:
		return in.ResolvedAt
	case incident.Mitigated:
		return in.MitigatedAt
	default:
		return time.Time{}
	}
}
