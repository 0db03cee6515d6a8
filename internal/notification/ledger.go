package notification

import (
	"context"
	"errors"
	"time"
)

// ErrBusy answers while another process attempts to notify the target. It ends with that attempt, or with its lease.
var ErrBusy = errors.New("another process is notifying the target")

// Intent is to make an attempt.
type Intent struct {
	Target
	Content
	Sender string
	// Lease is how long the attempt is taken to be under way without another word.
	Lease time.Duration
}

// Ledger keeps notifications for all processes that notify. The clocks of these may differ by less than a lease.
type Ledger interface {
	// Begin stores an intent before its attempt, and gives the notification that it belongs to: the open or failed one
	// of the target where the content is the same, so that a receiver can tell a repetition by its ID, else a new one.
	// The needed function decides by the last notification of the target that was sent, nil for none, within the
	// transaction. Where nothing needs to be sent Begin gives nil. ErrBusy answers while another sender is at it.
	Begin(ctx context.Context, intent Intent, needed func(last *Notification) bool) (*Notification, error)
	// End stores what became of an attempt. It changes nothing where another sender has taken over meanwhile, and stores
	// all of a notification that is not there: one that was sent while the ledger was away.
	End(ctx context.Context, n *Notification) error
	// Renew has the attempts of a sender be under way until then.
	Renew(ctx context.Context, sender string, until time.Time) error
	// DropNotifications deletes those whose last attempt was before a time.
	DropNotifications(ctx context.Context, before time.Time) error
}

// Reader gives notifications.
type Reader interface {
	// NotificationsOf gives those that told of an alert, by its fingerprint, whose last attempt was not before a time:
	// the newest first, at most limit.
	NotificationsOf(ctx context.Context, fingerprint string, since time.Time, limit int) ([]Notification, error)
	// OpenNotifications gives all that are open.
	OpenNotifications(ctx context.Context) ([]Notification, error)
}
