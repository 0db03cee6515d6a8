package incident

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/quantivista/monitoring/internal/alert"
)

// Author is who the service's own incidents and timeline events are by.
const Author = "monitoring-system"

func newEvent(incidentID string, at time.Time, kind EventType, content string, metadata map[string]any) TimelineEvent {
	return TimelineEvent{IncidentID: incidentID, Timestamp: at, Type: kind, Content: content, CreatedBy: Author, Metadata: metadata}
}

func statusEvent(incidentID string, at time.Time, from, to Status, reason string) TimelineEvent {
	return newEvent(incidentID, at, StatusChange, fmt.Sprintf("Status changed from '%s' to '%s': %s", from, to, reason),
		map[string]any{"oldStatus": string(from), "newStatus": string(to), "reason": reason})
}

func openedEvent(in *Incident, at time.Time, labels map[string]string) TimelineEvent {
	sharedLabels := make(map[string]any, len(labels))
	for name, value := range labels {
		sharedLabels[name] = value
	}
	return newEvent(in.ID, at, System, fmt.Sprintf("Incident opened with severity '%s'", in.Severity), map[string]any{
		"oldStatus": nil, "newStatus": string(in.Status), "oldSeverity": nil, "newSeverity": string(in.Severity),
		"correlationLabels": sharedLabels,
	})
}

// alertEvents tells what happened to one alert: at most that it fired, that it became worse and that it ended.
func alertEvents(incidentID string, at time.Time, c *alert.Change) []TimelineEvent {
	var events []TimelineEvent
	status := alert.Status("")
	if c.Before != nil {
		status = c.Before.Status
	}
	tell := func(text string, to alert.Status) {
		events = append(events, newEvent(incidentID, at, AlertEvent, c.After.Name()+" "+text, alertMetadata(c, status, to)))
		status = to
	}
	if began(c) {
		text := "began to fire"
		switch {
		case c.Flapped():
			text = fmt.Sprintf("fired again, %d times by now", c.After.Flaps())
		case c.Before != nil:
			text = "fired again"
		}
		tell(text, alert.Firing)
	}
	if c.Worsened() {
		tell(fmt.Sprintf("rose from '%s' to '%s'", c.Before.Severity, c.After.Severity), status)
	}
	if ended(c) {
		text := "was resolved"
		switch {
		case c.Expired():
			text = "is over: it was not reported any more"
		case c.After.ResolvedBy != "":
			text += " by " + c.After.ResolvedBy
		}
		tell(text, alert.Resolved)
	}
	return events
}

// pulledEvent tells of an alert that fired before its incident began.
func pulledEvent(incidentID string, at time.Time, c *alert.Change) TimelineEvent {
	text := fmt.Sprintf("%s joined, which has fired since %s", c.After.Name(), c.After.LastStart().Format(time.RFC3339))
	return newEvent(incidentID, at, AlertEvent, text, alertMetadata(c, c.Before.Status, c.After.Status))
}

// releasedEvent tells of an alert that was muted until now.
func releasedEvent(incidentID string, at time.Time, c *alert.Change, by []alert.Mute) TimelineEvent {
	text := fmt.Sprintf("%s joined, which has fired since %s and is not muted any more by %s",
		c.After.Name(), c.After.LastStart().Format(time.RFC3339), reasons(by))
	metadata := alertMetadata(&alert.Change{Before: &c.After, After: c.After}, c.After.Status, c.After.Status)
	metadata["mutedBy"] = by
	return newEvent(incidentID, at, AlertEvent, text, metadata)
}

// reasons names what mutes an alert.
func reasons(by []alert.Mute) string {
	names := make([]string, len(by))
	for i, m := range by {
		names[i] = fmt.Sprintf("%s '%s'", m.Kind, cmp.Or(m.Name, m.ID))
	}
	return strings.Join(names, " and ")
}

// alertMetadata has the old values as null where there are none.
func alertMetadata(c *alert.Change, from, to alert.Status) map[string]any {
	metadata := map[string]any{
		"alertId": c.After.ID, "alertName": c.After.Name(), "fingerprint": c.After.Fingerprint(),
		"oldStatus": nil, "newStatus": string(to), "oldSeverity": nil, "newSeverity": string(c.After.Severity),
		"startsAt": c.After.LastStart().Format(time.RFC3339Nano), "flapCount": c.After.Flaps(),
	}
	if from != "" {
		metadata["oldStatus"] = string(from)
	}
	if c.Before != nil {
		metadata["oldSeverity"] = string(c.Before.Severity)
	}
	if to == alert.Resolved {
		metadata["endsAt"] = c.After.EndsAt.Format(time.RFC3339Nano)
		metadata["expired"] = c.Expired()
	}
	return metadata
}
