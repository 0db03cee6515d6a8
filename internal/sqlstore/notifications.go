package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/quantivista/monitoring/internal/notification"
)

// Begin implements notification.Ledger.
func (s *Store) Begin(ctx context.Context, intent notification.Intent, needed func(*notification.Notification) bool) (begun *notification.Notification, err error) {
	err = s.writeTogether(ctx, func(ctx context.Context, db bun.Tx) error {
		begun, err = s.begin(ctx, db, &intent, needed)
		return err
	})
	return begun, err
}

func (s *Store) begin(ctx context.Context, db bun.Tx, intent *notification.Intent, needed func(*notification.Notification) bool) (*notification.Notification, error) {
	now := at(s.now())
	latest, err := newest(ctx, db, intent.Target.Digest(), "n.state <> 'sent'")
	if err != nil {
		return nil, err
	}
	if latest != nil && latest.State == notification.Sending && latest.Sender != short(intent.Sender) && latest.LeasedUntil.After(now.Time) {
		return nil, fmt.Errorf("%w until %s at the latest", notification.ErrBusy, latest.LeasedUntil.Time)
	}
	sent, err := s.lastSent(ctx, db, intent.Target.Digest())
	if err != nil {
		return nil, err
	}
	if latest != nil && sent != nil && sent.BeganAt.After(latest.BeganAt.Time) {
		latest = nil // it has ended long ago
	}
	if !needed(sent) {
		return nil, supersede(ctx, db, latest, now)
	}
	if latest != nil && latest.State != notification.Superseded && latest.Content == intent.Content.Digest() {
		latest.State, latest.Sender, latest.AttemptedAt, latest.EndedAt = notification.Sending, short(intent.Sender), now, instant{}
		latest.Attempts++
		latest.LeasedUntil = at(now.Add(intent.Lease))
		_, err := db.NewUpdate().Model(latest).Column("state", "sender", "attempted_at", "ended_at", "attempts", "leased_until").WherePK().Exec(ctx)
		n := latest.notification()
		n.Content = intent.Content
		return &n, err
	}
	if err := supersede(ctx, db, latest, now); err != nil {
		return nil, err
	}
	n := &notification.Notification{
		ID: newID(), Target: intent.Target, Content: intent.Content, State: notification.Sending, Attempts: 1, Sender: intent.Sender,
		LeasedUntil: now.Add(intent.Lease), BeganAt: now.Time, AttemptedAt: now.Time,
	}
	return n, insertNotification(ctx, db, toNotificationRow(n), &n.Content)
}

// supersede ends one that is open, if there is one.
func supersede(ctx context.Context, db bun.Tx, row *notificationRow, now instant) error {
	if row == nil || !row.State.Open() {
		return nil
	}
	row.State, row.EndedAt, row.LeasedUntil = notification.Superseded, now, instant{}
	_, err := db.NewUpdate().Model(row).Column("state", "ended_at", "leased_until").WherePK().Exec(ctx)
	return err
}

// newest gives the notification of a target that began last of those of a condition; nil for none.
func newest(ctx context.Context, db bun.IDB, target, condition string) (*notificationRow, error) {
	row := new(notificationRow)
	err := db.NewSelect().Model(row).Where("n.target = ?", target).Where(condition).Order("n.began_at DESC", "n.id DESC").Limit(1).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // none is what the caller asks for, too
	}
	return row, err
}

func (*Store) lastSent(ctx context.Context, db bun.IDB, target string) (*notification.Notification, error) {
	row, err := newest(ctx, db, target, "n.state = 'sent'")
	if err != nil || row == nil {
		return nil, err
	}
	found, err := withContent(ctx, db, []notificationRow{*row})
	if err != nil {
		return nil, err
	}
	return &found[0], nil
}

// End implements notification.Ledger.
func (s *Store) End(ctx context.Context, n *notification.Notification) error {
	return s.writeTogether(ctx, func(ctx context.Context, db bun.Tx) error { return s.end(ctx, db, n) })
}

func (s *Store) end(ctx context.Context, db bun.Tx, n *notification.Notification) error {
	row, known := toNotificationRow(n), new(notificationRow)
	err := db.NewSelect().Model(known).Where("n.id = ?", row.ID).Scan(ctx)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return s.endUnknown(ctx, db, row, n)
	case err != nil || known.Sender != row.Sender || !known.State.Open():
		return err
	}
	_, err = db.NewUpdate().Model(row).Column("state", "reason", "attempts", "leased_until", "attempted_at", "ended_at").WherePK().Exec(ctx)
	return err
}

// endUnknown stores what was sent while the ledger was away. What is open at its target is older.
func (*Store) endUnknown(ctx context.Context, db bun.Tx, row *notificationRow, n *notification.Notification) error {
	if row.State.Open() {
		return nil
	}
	open, err := newest(ctx, db, row.Target, "n.state IN ('sending', 'retrying')")
	if err != nil {
		return err
	}
	if open != nil && !open.BeganAt.After(row.BeganAt.Time) {
		if err := supersede(ctx, db, open, row.EndedAt); err != nil {
			return err
		}
	}
	return insertNotification(ctx, db, row, &n.Content)
}

// Renew implements notification.Ledger.
func (s *Store) Renew(ctx context.Context, sender string, until time.Time) error {
	return s.write(ctx, func(ctx context.Context, db bun.Tx) error {
		_, err := db.NewUpdate().Model((*notificationRow)(nil)).Set("leased_until = ?", at(until)).
			Where("sender = ?", short(sender)).Where("state = 'sending'").Exec(ctx)
		return err
	})
}

// DropNotifications implements notification.Ledger.
func (s *Store) DropNotifications(ctx context.Context, before time.Time) error {
	return s.write(ctx, func(ctx context.Context, db bun.Tx) error {
		_, err := db.NewDelete().Model((*notificationRow)(nil)).Where("attempted_at < ?", at(before)).Exec(ctx)
		return err
	})
}

// NotificationsOf implements notification.Reader.
func (s *Store) NotificationsOf(ctx context.Context, fingerprint string, since time.Time, limit int) ([]notification.Notification, error) {
	return s.notifications(ctx, func(q *bun.SelectQuery) {
		q.Join("JOIN notification_alerts AS t ON t.notification_id = n.id").Where("t.fingerprint = ?", fingerprint).
			Order("n.began_at DESC", "n.id DESC").Limit(int64(limit))
		if !since.IsZero() {
			q.Where("n.attempted_at >= ?", at(since))
		}
	})
}

// OpenNotifications implements notification.Reader.
func (s *Store) OpenNotifications(ctx context.Context) ([]notification.Notification, error) {
	return s.notifications(ctx, func(q *bun.SelectQuery) {
		q.Where("n.state IN ('sending', 'retrying')").Order("n.began_at", "n.id")
	})
}

func (s *Store) notifications(ctx context.Context, which func(*bun.SelectQuery)) (found []notification.Notification, err error) {
	err = s.read(ctx, func(db bun.IDB) error {
		var rows []notificationRow
		q := db.NewSelect().Model(&rows)
		which(q)
		if err := q.Scan(ctx); err != nil {
			return err
		}
		found, err = withContent(ctx, db, rows)
		return err
	})
	return found, err
}
