package incident

import (
	"context"
	"slices"
	"time"
)

// TellComments gives the events by which an incident's timeline tells what people said about alerts before these
// joined it, each by its author and of its time, and remembers that they are told.
func TellComments(ctx context.Context, tx Tx, incidentID string, alertIDs []string) ([]TimelineEvent, error) {
	var events []TimelineEvent
	for ids := range slices.Chunk(alertIDs, linksPerStatement) {
		comments, err := tx.UntoldComments(ctx, ids)
		if err != nil {
			return nil, err
		}
		told := make([]string, len(comments))
		for i := range comments {
			told[i] = comments[i].ID
			events = append(events, CommentEvent(incidentID, &comments[i]))
		}
		if err := tx.CommentsTold(ctx, incidentID, told); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// CommentEvent tells a comment on an alert in the timeline of an incident.
func CommentEvent(incidentID string, c *AlertComment) TimelineEvent {
	return TimelineEvent{
		IncidentID: incidentID, Timestamp: c.CreatedAt, Type: Comment, Content: c.Content, CreatedBy: c.CreatedBy,
		Metadata: map[string]any{"alertId": c.AlertID, "commentedAt": c.CreatedAt.Format(time.RFC3339Nano)},
	}
}
