package notification

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// State is what is known of a notification.
type State string

// A notification is sent and may be retried until it has ended.
const (
	// Sending has an attempt under way. Where its sender died in it nobody knows whether it arrived.
	Sending State = "sending"
	// Retrying waits for another attempt, since the last one failed.
	Retrying State = "retrying"
	// Sent has been taken by the receiver.
	Sent State = "sent"
	// Failed has been refused for good. The same content is tried again as the same notification.
	Failed State = "failed"
	// Superseded was not known to have arrived when a later one of the same target took its place.
	Superseded State = "superseded"
)

// Open says that another attempt follows.
func (s State) Open() bool { return s == Sending || s == Retrying }

// Target is one way to notify one receiver of one group of alerts. Of its notifications one at most is open.
type Target struct {
	Receiver string
	// Integration is its type, such as webhook, and Index its place among those of the type.
	Integration string
	Index       int
	GroupKey    string
}

// Digest tells targets apart. A group key holds labels, and may be long.
func (t *Target) Digest() string {
	return digest(fmt.Sprintf("%q %q %d %q", t.Receiver, t.Integration, t.Index, t.GroupKey))
}

// Content is what a notification tells: alerts by their fingerprints, sorted.
type Content struct {
	Firing, Resolved []string
}

// NewContent sorts.
func NewContent(firing, resolved []string) Content {
	return Content{Firing: slices.Sorted(slices.Values(firing)), Resolved: slices.Sorted(slices.Values(resolved))}
}

// Digest tells contents apart.
func (c *Content) Digest() string {
	return digest(strings.Join(c.Firing, " ") + "/" + strings.Join(c.Resolved, " "))
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Notification is one message, with all attempts to send it.
type Notification struct {
	// ID is the idempotency key of every attempt.
	ID string
	Target
	Content
	State    State
	Attempts int
	// Reason is why the last attempt failed, without secrets; empty where it did not.
	Reason string
	// Sender is the process that made the last attempt. Where that is under way, LeasedUntil is when it is held to have
	// died in it, unless it tells again; zero else.
	Sender      string
	LeasedUntil time.Time
	// BeganAt is when the first attempt began, AttemptedAt the last. EndedAt is zero while the notification is open.
	BeganAt, AttemptedAt, EndedAt time.Time
}
