package sqlstore

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/quantivista/monitoring/internal/notification"
)

var hook = notification.Target{Receiver: "pager", Integration: "webhook", GroupKey: `{}:{alertname="Down"}`}

func always(*notification.Notification) bool { return true }

// intend is to tell the hook that alerts fire.
func intend(sender string, firing ...string) notification.Intent {
	for i, f := range firing {
		firing[i] = strings.Repeat(f, 16)[:16]
	}
	return notification.Intent{Target: hook, Content: notification.NewContent(firing, nil), Sender: sender, Lease: time.Minute}
}

func begin(t *testing.T, s *Store, intent notification.Intent) *notification.Notification {
	t.Helper()
	n, err := s.Begin(t.Context(), intent, always)
	require.NoError(t, err)
	require.NotNil(t, n)
	return n
}

func end(t *testing.T, s *Store, n *notification.Notification, state notification.State, reason string) {
	t.Helper()
	n.State, n.Reason, n.LeasedUntil, n.EndedAt = state, reason, time.Time{}, time.Time{}
	if !state.Open() {
		n.EndedAt = s.now().UTC().Truncate(time.Microsecond)
	}
	require.NoError(t, s.End(t.Context(), n))
}

func ledger(t *testing.T, s *Store, fingerprint string) []notification.Notification {
	t.Helper()
	found, err := s.NotificationsOf(t.Context(), strings.Repeat(fingerprint, 16)[:16], time.Time{}, 100)
	require.NoError(t, err)
	return found
}

func TestANotificationKeepsItsIDUntilItIsSent(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		now := noon
		s.now = func() time.Time { return now }
		first := begin(t, s, intend("one", "a", "b"))
		end(t, s, first, notification.Retrying, "503")
		now = now.Add(time.Second)
		again := begin(t, s, intend("two", "b", "a"))
		assert.Equal(t, first.ID, again.ID, "whoever tries it")
		assert.Equal(t, 2, again.Attempts)
		end(t, s, again, notification.Failed, "400")
		now = now.Add(time.Second)
		again = begin(t, s, intend("two", "a", "b"))
		assert.Equal(t, first.ID, again.ID, "what failed is tried again")
		end(t, s, again, notification.Sent, "")
		assert.Equal(t, []notification.Notification{*again}, ledger(t, s, "b"))
		assert.Equal(t, 3, again.Attempts)
		now = now.Add(time.Second)
		repeated := begin(t, s, intend("two", "a", "b"))
		assert.NotEqual(t, first.ID, repeated.ID, "a repetition is a message of its own")
		assert.Len(t, ledger(t, s, "a"), 2)

		end(t, s, repeated, notification.Retrying, "cut off")
		changed := begin(t, s, intend("two", "a", "c"))
		all := ledger(t, s, "a")
		assert.Equal(t, []notification.State{notification.Sending, notification.Superseded, notification.Sent},
			[]notification.State{all[0].State, all[1].State, all[2].State}, "what has changed is another message")
		assert.Equal(t, "cut off", all[1].Reason)
		open, err := s.OpenNotifications(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []notification.Notification{*changed}, open)
	})
}

func TestOneAttemptAtATime(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		now := noon
		s.now = func() time.Time { return now }
		first := begin(t, s, intend("one", "a"))
		_, err := s.Begin(t.Context(), intend("two", "a"), always)
		require.ErrorIs(t, err, notification.ErrBusy)
		other := intend("two", "d")
		other.GroupKey = "another"
		begin(t, s, other)

		now = now.Add(59 * time.Second)
		require.NoError(t, s.Renew(t.Context(), "one", now.Add(time.Minute)))
		now = now.Add(59 * time.Second)
		_, err = s.Begin(t.Context(), intend("two", "a"), always)
		require.ErrorIs(t, err, notification.ErrBusy)

		now = now.Add(2 * time.Second)
		taken := begin(t, s, intend("two", "a"))
		assert.Equal(t, first.ID, taken.ID, "the sender died: nobody knows whether it arrived")
		end(t, s, first, notification.Sent, "")
		assert.Equal(t, notification.Sending, ledger(t, s, "a")[0].State, "it was not dead, and is too late")
		end(t, s, taken, notification.Sent, "")

		none, err := s.Begin(t.Context(), intend("one", "a"), func(last *notification.Notification) bool {
			assert.Equal(t, taken, last)
			return false
		})
		require.NoError(t, err)
		assert.Nil(t, none)
		assert.Len(t, ledger(t, s, "a"), 1)
	})
}

// TestReplicasSendOnce has senders race for each of a row of messages.
func TestReplicasSendOnce(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		for message := range 10 {
			var sent atomic.Int64
			var group errgroup.Group
			for sender := range 4 {
				group.Go(func() error {
					intent := intend(fmt.Sprint(sender), fmt.Sprint(message))
					for {
						n, err := s.Begin(t.Context(), intent, func(last *notification.Notification) bool {
							return last == nil || !slices.Equal(last.Firing, intent.Firing)
						})
						switch {
						case err == nil && n == nil:
							return nil
						case err == nil:
							sent.Add(1)
							n.State, n.LeasedUntil, n.EndedAt = notification.Sent, time.Time{}, time.Now()
							return s.End(t.Context(), n)
						case !assert.ErrorIs(t, err, notification.ErrBusy):
							return err
						}
					}
				})
			}
			require.NoError(t, group.Wait())
			assert.EqualValues(t, 1, sent.Load())
		}
	})
}

func TestNotificationsOfAnOutage(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		now := noon
		s.now = func() time.Time { return now }
		begin(t, s, intend("one", "a"))
		during := &notification.Notification{
			ID: newID(), Target: hook, Content: intend("", "a").Content, State: notification.Sent, Attempts: 1, Sender: "one",
			BeganAt: noon.Add(time.Second), AttemptedAt: noon.Add(time.Second), EndedAt: noon.Add(2 * time.Second),
		}
		for range 2 {
			require.NoError(t, s.End(t.Context(), during))
		}
		all := ledger(t, s, "a")
		require.Len(t, all, 2)
		assert.Equal(t, *during, all[0])
		assert.Equal(t, notification.Superseded, all[1].State)
		require.NoError(t, s.DropNotifications(t.Context(), noon.Add(time.Second)))
		assert.Len(t, ledger(t, s, "a"), 1)
		require.NoError(t, s.DropNotifications(t.Context(), noon.Add(time.Hour)))
		assert.Empty(t, ledger(t, s, "a"))
	})
}
