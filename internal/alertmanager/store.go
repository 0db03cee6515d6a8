package alertmanager

import (
	"context"
	"time"

	"github.com/quantivista/monitoring/internal/notification"
)

// Kind says what an Entry is of.
type Kind string

// The kinds of state that an Alertmanager keeps over a restart, and shares with its replicas.
const (
	KindSilence      Kind = "silence"
	KindNotification Kind = "notification" // of the notification log
)

// Entry is one silence, or what was notified last of one group to one integration, in Alertmanager's own form.
type Entry struct {
	Kind Kind
	// Key tells entries of a kind apart: a silence's ID, or group key and receiver.
	Key string
	// UpdatedAt orders two forms of one entry: the later one holds. To the microsecond.
	UpdatedAt time.Time
	// ExpiresAt is when the entry means nothing any more.
	ExpiresAt time.Time
	Data      []byte
}

// Store keeps entries for all replicas.
type Store interface {
	// SaveEntries stores all entries or, on an error, none. Of each the later form stays.
	SaveEntries(ctx context.Context, entries ...Entry) error
	// SaveSent stores together that a notification was sent and what the notification log says of it.
	SaveSent(ctx context.Context, sent *notification.Notification, logged Entry) error
	// EntriesSince gives entries that were stored after a revision, in pages, with the revision to ask for next. It
	// begins at 0. An empty page is the last.
	EntriesSince(ctx context.Context, revision int64) (entries []Entry, next int64, err error)
	// DropEntries deletes entries that expired before a time.
	DropEntries(ctx context.Context, before time.Time) error
}
