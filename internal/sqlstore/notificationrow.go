package sqlstore

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/alert"
	"github.com/quantivista/monitoring/internal/notification"
)

// notificationRow is a row of notifications.
type notificationRow struct {
	bun.BaseModel `bun:"table:notifications,alias:n"`

	ID          string             `bun:"id,pk"`
	Target      string             `bun:"target"`
	Content     string             `bun:"content"`
	Receiver    string             `bun:"receiver"`
	Integration string             `bun:"integration"`
	Index       int                `bun:"integration_index"`
	GroupKey    string             `bun:"group_key"`
	State       notification.State `bun:"state"`
	Attempts    int                `bun:"attempts"`
	Reason      string             `bun:"reason"`
	Sender      string             `bun:"sender"`
	LeasedUntil instant            `bun:"leased_until"`
	BeganAt     instant            `bun:"began_at"`
	AttemptedAt instant            `bun:"attempted_at"`
	EndedAt     instant            `bun:"ended_at"`
}

// toldRow is a row of notification_alerts.
type toldRow struct {
	bun.BaseModel `bun:"table:notification_alerts,alias:t"`

	Fingerprint    string       `bun:"fingerprint,pk"`
	NotificationID string       `bun:"notification_id,pk"`
	Status         alert.Status `bun:"status"`
}

func toNotificationRow(n *notification.Notification) *notificationRow {
	row := &notificationRow{
		ID: n.ID, Target: n.Target.Digest(), Content: n.Content.Digest(),
		Receiver: text(n.Receiver), Integration: n.Integration, Index: n.Index, GroupKey: text(n.GroupKey),
		State: n.State, Attempts: n.Attempts, Reason: text(n.Reason), Sender: short(n.Sender),
		BeganAt: at(n.BeganAt), AttemptedAt: at(n.AttemptedAt), EndedAt: at(n.EndedAt),
	}
	if n.State == notification.Sending {
		row.LeasedUntil = at(n.LeasedUntil)
	}
	return row
}

// notification is without its content.
func (r *notificationRow) notification() notification.Notification {
	return notification.Notification{
		ID:     r.ID,
		Target: notification.Target{Receiver: r.Receiver, Integration: r.Integration, Index: r.Index, GroupKey: r.GroupKey},
		State:  r.State, Attempts: r.Attempts, Reason: r.Reason, Sender: r.Sender,
		LeasedUntil: r.LeasedUntil.Time, BeganAt: r.BeganAt.Time, AttemptedAt: r.AttemptedAt.Time, EndedAt: r.EndedAt.Time,
	}
}

// insertNotification stores one that is new, with its content.
func insertNotification(ctx context.Context, db bun.IDB, row *notificationRow, content *notification.Content) error {
	if _, err := db.NewInsert().Model(row).Exec(ctx); err != nil {
		return err
	}
	told := make([]toldRow, 0, len(content.Firing)+len(content.Resolved))
	for _, fingerprint := range content.Firing {
		told = append(told, toldRow{Fingerprint: fingerprint, NotificationID: row.ID, Status: alert.Firing})
	}
	for _, fingerprint := range content.Resolved {
		told = append(told, toldRow{Fingerprint: fingerprint, NotificationID: row.ID, Status: alert.Resolved})
	}
	for chunk := range slices.Chunk(told, rowsPerStatement) {
		if _, err := db.NewInsert().Model(&chunk).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// withContent reads what notifications tell.
func withContent(ctx context.Context, db bun.IDB, rows []notificationRow) ([]notification.Notification, error) {
	found := make([]notification.Notification, len(rows))
	place := make(map[string]int, len(rows))
	ids := make([]string, len(rows))
	for i := range rows {
		found[i], ids[i], place[rows[i].ID] = rows[i].notification(), rows[i].ID, i
	}
	for chunk := range slices.Chunk(ids, rowsPerStatement) {
		var told []toldRow
		if err := db.NewSelect().Model(&told).Where("t.notification_id ?", among(chunk)).Order("t.fingerprint").Scan(ctx); err != nil {
			return nil, err
		}
		for _, t := range told {
			content := &found[place[t.NotificationID]].Content
			if t.Status == alert.Firing {
				content.Firing = append(content.Firing, t.Fingerprint)
			} else {
				content.Resolved = append(content.Resolved, t.Fingerprint)
			}
		}
	}
	return found, nil
}
