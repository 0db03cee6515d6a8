package incident

import (
	"fmt"
	"time"
)

// EventType says what a timeline event tells of.
type EventType string

// The five of the specification.
const (
	StatusChange EventType = "status_change"
	Comment      EventType = "comment"
	Action       EventType = "action"
	AlertEvent   EventType = "alert"
	System       EventType = "system"
)

// ParseEventType knows exactly the five names.
func ParseEventType(s string) (EventType, error) {
	switch t := EventType(s); t {
	case StatusChange, Comment, Action, AlertEvent, System:
		return t, nil
	default:
		return "", fmt.Errorf("type must be one of status_change, comment, action, alert, system, is %q", s)
	}
}

// TimelineEvent is one thing that happened in an incident. It is never changed and never deleted.
type TimelineEvent struct {
	ID         string
	IncidentID string
	// Sequence counts the events of the incident, from 1 without a gap. The store gives it.
	Sequence  int64
	Timestamp time.Time
	Type      EventType
	Content   string
	CreatedBy string
	// Metadata is any JSON object; nil where there is nothing to say.
	Metadata map[string]any
}
