package sqlstore

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/quantivista/monitoring/internal/notification"
)

// ledgerModel is one target of the ledger, and what its senders know.
type ledgerModel struct {
	s      *Store
	now    time.Time
	target notification.Target
	// open is the attempt that is under way, retrying the content that waits for another one.
	open, retrying *notification.Notification
	// held are the attempts that senders believe to be theirs.
	held map[string]*notification.Notification
	sent int
}

// TestTheLedgerKeepsItsPromises has senders begin, end, renew and die in any order: one attempt is under way at a time, a
// content keeps its ID until it is sent, and one who comes too late changes nothing.
func TestTheLedgerKeepsItsPromises(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		rapid.Check(t, func(r *rapid.T) {
			m := &ledgerModel{
				s: s, now: noon, held: map[string]*notification.Notification{},
				target: notification.Target{Receiver: newID(), Integration: "webhook", GroupKey: "g"},
			}
			s.now = func() time.Time { return m.now }
			sender := rapid.SampledFrom([]string{"a", "b", "c"})
			r.Repeat(map[string]func(*rapid.T){
				"begin": func(r *rapid.T) { m.begin(t, r, sender.Draw(r, "sender")) },
				"end":   func(r *rapid.T) { m.end(t, r, sender.Draw(r, "sender")) },
				"renew": func(r *rapid.T) { m.renew(t, sender.Draw(r, "sender")) },
				"pass": func(r *rapid.T) {
					m.now = m.now.Add(time.Duration(rapid.IntRange(1, 90).Draw(r, "seconds")) * time.Second)
				},
			})
		})
	})
}

func (m *ledgerModel) begin(t *testing.T, r *rapid.T, sender string) {
	content := notification.NewContent([]string{rapid.SampledFrom([]string{"aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"}).Draw(r, "alert")}, nil)
	intent := notification.Intent{Target: m.target, Content: content, Sender: sender, Lease: time.Minute}
	n, err := m.s.Begin(t.Context(), intent, func(last *notification.Notification) bool {
		assert.Equal(t, m.sent > 0, last != nil)
		return true
	})
	if m.open != nil && m.open.Sender != sender && m.open.LeasedUntil.After(m.now) {
		require.ErrorIs(t, err, notification.ErrBusy)
		return
	}
	require.NoError(t, err)
	known := m.retrying
	if m.open != nil {
		known = m.open
	}
	if known != nil {
		assert.Equal(t, known.Content.Digest() == content.Digest(), known.ID == n.ID)
	}
	copied := *n
	m.open, m.retrying, m.held[sender] = &copied, nil, n
}

func (m *ledgerModel) end(t *testing.T, r *rapid.T, sender string) {
	n := m.held[sender]
	if n == nil {
		return
	}
	delete(m.held, sender)
	n.State = rapid.SampledFrom([]notification.State{notification.Sent, notification.Retrying, notification.Failed}).Draw(r, "outcome")
	n.LeasedUntil, n.EndedAt = time.Time{}, m.now
	if n.State == notification.Retrying {
		n.EndedAt = time.Time{}
	}
	require.NoError(t, m.s.End(t.Context(), n))
	if m.open == nil || m.open.ID != n.ID || m.open.Sender != sender {
		return // it came too late
	}
	m.open = nil
	switch n.State {
	case notification.Sent:
		m.sent++
		m.retrying = nil
	default:
		m.retrying = n
	}
}

func (m *ledgerModel) renew(t *testing.T, sender string) {
	until := m.now.Add(time.Minute)
	require.NoError(t, m.s.Renew(t.Context(), sender, until))
	if m.open != nil && m.open.Sender == sender {
		m.open.LeasedUntil = until
	}
}
