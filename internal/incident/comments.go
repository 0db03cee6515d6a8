package incident

import (
	"context"
	"maps"
	"slices"
	"time"
)

// TellComments gives the events by which the timelines of incidents tell what people said about alerts before these
// joined them, each by its author and of its time, and remembers that they are told.
func TellComments(ctx context.Context, tx Tx, joined Links) ([]TimelineEvent, error) {
	incidentOf := map[string]string{}
	for id, alertIDs := range joined {
		for _, alertID := range alertIDs {
			incidentOf[alertID] = id
		}
	}
	comments, err := tx.UntoldComments(ctx, slices.Sorted(maps.Keys(incidentOf)))
	if err != nil {
		return nil, err
	}
	events := make([]TimelineEvent, len(comments))
	told := map[string][]string{}
	for i := range comments {
		id := incidentOf[comments[i].AlertID]
		events[i] = CommentEvent(id, &comments[i])
		told[id] = append(told[id], comments[i].ID)
	}
	for id, commentIDs := range told {
		if err := tx.CommentsTold(ctx, id, commentIDs); err != nil {
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
